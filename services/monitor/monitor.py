"""The parts put together around one Faust app: tables, agents, and the timer that looks at the windows."""

from collections.abc import Iterable
from itertools import chain
from typing import Any

import structlog
from aiokafka.errors import KafkaError
from faust.exceptions import ProducerSendError

from services.events.topics import Topics
from services.events.types import AlarmRaised, QualityMeasured
from services.monitor.app import PEOPLE, SUMMARIES, Counted, build_app, raw_topic
from services.monitor.broadcasts import Broadcasts
from services.monitor.core.observing import AGAINST_PEOPLE, AGREEMENT
from services.monitor.metrics import MonitorMetrics
from services.monitor.recount import Recount
from services.monitor.settings import MonitorSettings
from services.monitor.watch import Watch
from services.runtime.clock import now_ms
from services.runtime.health import Health
from services.runtime.positions import Partition
from services.runtime.publishing import Publisher

log = structlog.get_logger()


class Monitor:
    """One worker. It publishes only while it holds every partition: half of a window is no measure."""

    def __init__(
        self,
        settings: MonitorSettings,
        topics: Topics,
        broadcasts: Broadcasts,
        recount: Recount,
        health: Health,
        metrics: MonitorMetrics,
    ) -> None:
        self._broadcasts, self._health, self._metrics = broadcasts, health, metrics
        self.app = build_app(settings)
        self._tables = (
            Counted(self.app, settings, metrics, PEOPLE, "monitor.changelog", settings.shards),
            Counted(self.app, settings, metrics, SUMMARIES, "monitor.volume", 1),
        )
        self._partitions = {
            (topic, number) for t in self._tables for topic in t.kinds for number in range(t.partitions)
        }
        self._publisher = Publisher("monitor", topics)
        self._watch = Watch(settings, broadcasts, recount, self.publish, metrics)
        self.app.timer(interval=settings.check_seconds)(self.check)

    async def check(self) -> None:
        """What the timer does."""
        self._broadcasts.follow()
        for table in self._tables:
            table.longest = max(self._watch.size_of(measure) for measure in (AGAINST_PEOPLE, AGREEMENT))
        if (missing := self._missing()) is not None:
            self._health.not_ready(missing)
            return
        self._health.ready()
        panes = list(chain.from_iterable(table.panes() for table in self._tables))
        self._metrics.panes.set(len(panes))
        try:
            await self._watch.check(panes, now_ms())
        except (ProducerSendError, KafkaError) as error:
            log.warning("not published, will be tried again", error=str(error))

    async def publish(self, event: QualityMeasured | AlarmRaised, key: str) -> None:
        """Produce with Faust's producer and wait for Kafka to have it."""
        out = self._publisher.outgoing(event, key)
        sent = await raw_topic(self.app, out.topic).send(
            key=out.key, value=out.value, headers=list(out.headers)
        )
        await sent

    def _missing(self) -> str | None:
        """Why not every window is seen whole; None where it is."""
        if self.app.rebalancing or not self.app.tables.recovery.completed.is_set():
            return "tables are being restored from their changelogs"
        return elsewhere(self._partitions, pairs(self.app.consumer.assignment()))


def elsewhere(wanted: set[Partition], assigned: set[Partition]) -> str | None:
    """Why a worker with these partitions must not publish; None where it has all that are wanted."""
    if not (missing := wanted - assigned):
        return None
    shown = ", ".join(f"{topic}[{number}]" for topic, number in sorted(missing))
    return f"not assigned to this worker: {shown}: where another one runs, run one monitor only"


def pairs(assignment: Iterable[Any]) -> set[Partition]:
    """Faust's partitions as pairs."""
    return {(tp.topic, tp.partition) for tp in assignment}
