"""What is in force: the limits of the live policy, and the alarms that stand."""

import structlog
from confluent_kafka.admin import AdminClient

from services.events.codec import decode
from services.events.errors import EventError
from services.events.types import AlarmRaised, PolicyReleased
from services.monitor.core.alarming import Limits, Subject
from services.monitor.core.observing import AGAINST_PEOPLE
from services.monitor.limits import default_limits, limits_of
from services.monitor.metrics import MonitorMetrics
from services.monitor.settings import MonitorSettings
from services.policy.errors import PolicyError
from services.runtime.reading import broadcast_topics
from services.runtime.records import Record

TOPICS = ("policy.released", "alarm.raised")
log = structlog.get_logger()


class Broadcasts:
    """Reads both topics to their end, then follows them. Raises MissingTopic, Stalled, KafkaException when built."""

    def __init__(
        self,
        settings: MonitorSettings,
        queues: frozenset[str],
        client: AdminClient,
        metrics: MonitorMetrics,
    ) -> None:
        self._settings, self._queues, self._metrics = settings, queues, metrics
        self.limits: Limits = default_limits(settings)
        self.active: set[Subject] = set()
        self._reader = broadcast_topics(settings, "monitor", TOPICS, client)
        for record in self._reader.to_end():
            self._apply(record)

    def follow(self) -> None:
        """Take in what has come since; does not wait. Raises Stalled."""
        for record in self._reader.poll(0):
            self._apply(record)
        self._metrics.active_alarms.set(len(self.active))

    def note(self, subject: Subject, active: bool) -> None:
        """An alarm that was just published, before it is read back."""
        (self.active.add if active else self.active.discard)(subject)

    def close(self) -> None:
        """Leave the broker."""
        self._reader.close()

    def _apply(self, record: Record) -> None:
        try:
            if record.base == "policy.released":
                if record.value is not None:
                    released = decode(PolicyReleased, record.value)
                    self.limits = limits_of(released.document, self._queues, self._settings)
                    log.info("policy", version=released.policy_version, limits=self.limits._asdict())
            elif record.value is not None:
                alarm = decode(AlarmRaised, record.value)
                if alarm.alarm == AGAINST_PEOPLE:
                    self.note(Subject(alarm.category or "", alarm.model_version or ""), alarm.active)
            else:
                self.active = {subject for subject in self.active if subject.key.encode() != record.key}
        except (EventError, PolicyError) as error:
            self._metrics.bad_broadcasts.labels(record.base).inc()
            log.error(
                "a broadcast cannot be read, what was in force stays", topic=record.base, error=str(error)
            )
