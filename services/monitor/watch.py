"""Looks at the windows now and then: publishes those that are over, and judges model against people."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Protocol

import structlog

from services.events.types import AlarmRaised, QualityMeasured
from services.monitor.core.alarming import Change, Count, Limits, Subject, alarm, should_alarm
from services.monitor.core.observing import AGAINST_PEOPLE, AGREEMENT, Series
from services.monitor.core.windows import Cell, Pane, Window, closed_windows, summarise
from services.monitor.metrics import MonitorMetrics
from services.monitor.settings import MonitorSettings

log = structlog.get_logger()
Publish = Callable[[QualityMeasured | AlarmRaised, str], Awaitable[None]]


class InForce(Protocol):
    """The limits, and the alarms that stand."""

    limits: Limits
    active: set[Subject]

    def note(self, subject: Subject, active: bool) -> None:
        """An alarm was published."""


class Counter(Protocol):
    """Who recounts exactly."""

    async def count(self, subject: Subject, start: int, end: int) -> Count | None:
        """None where there is no answer."""


class Watch:
    """What has been published, and what is to be judged. One for all tables of the one worker."""

    def __init__(
        self,
        settings: MonitorSettings,
        in_force: InForce,
        recount: Counter,
        publish: Publish,
        metrics: MonitorMetrics,
    ) -> None:
        self._settings, self._in_force, self._recount = settings, in_force, recount
        self._publish, self._metrics = publish, metrics
        self._published: dict[Series, int] = {}  # end of the last window, ms
        self._to_judge: dict[Subject, Window] = {}

    def size_of(self, measure: str) -> int:
        """Length of a measure's windows in ms, whole steps."""
        step = self._settings.step_seconds * 1000
        wanted = {
            AGAINST_PEOPLE: self._in_force.limits.window,
            AGREEMENT: self._settings.agreement_seconds * 1000,
        }.get(measure, step)
        return -(-wanted // step) * step

    async def check(self, panes: Iterable[tuple[Pane, Cell]], now: int) -> None:
        """Publish the windows that are over at `now` (ms), then judge the latest of each subject.

        What could not be published (the exception passes) or recounted is tried again at the next check.
        """
        latest = now - int(self._settings.grace_seconds * 1000)
        oldest = now - self._settings.late_seconds * 1000
        step = self._settings.step_seconds * 1000
        for window in list(closed_windows(panes, self.size_of, step, self._published, oldest, latest)):
            await self._publish(summarise(window, now), window.series.measure)
            self._published[window.series] = window.end
            self._metrics.windows.labels(window.series.measure).inc()
            if window.series.measure == AGAINST_PEOPLE:
                self._to_judge[Subject(window.series.category, window.series.model_version)] = window
        self._published = {series: end for series, end in self._published.items() if end > oldest}
        self._to_judge = {subject: of for subject, of in self._to_judge.items() if of.end > oldest}
        await self._judge(now)

    async def _judge(self, now: int) -> None:
        for subject, window in list(self._to_judge.items()):
            counted = Count(window.cell.count, round(window.cell.amount))
            change = self._change(subject, counted)
            if change is not None:
                recounted = await self._recount.count(subject, window.start, window.end)
                if recounted is None:
                    self._metrics.recounts.labels(change, "no_answer").inc()
                    return  # the others would wait in vain as well
                await self._act(subject, window, change, recounted, now)
            del self._to_judge[subject]

    async def _act(
        self, subject: Subject, window: Window, change: Change, recounted: Count, now: int
    ) -> None:
        if self._change(subject, recounted) != change:
            self._metrics.recounts.labels(change, "not_confirmed").inc()
            log.info(
                "not confirmed",
                subject=subject.key,
                change=change,
                count=recounted.count,
                share=recounted.share,
            )
            return
        event = alarm(subject, change, recounted, self._in_force.limits, window.start, window.end, now)
        await self._publish(event, subject.key)
        self._in_force.note(subject, event.active)
        self._metrics.recounts.labels(change, "confirmed").inc()
        log.warning("alarm", subject=subject.key, active=event.active, value=event.value, count=event.count)

    def _change(self, subject: Subject, counted: Count) -> Change | None:
        return should_alarm(counted, self._in_force.limits, subject in self._in_force.active)
