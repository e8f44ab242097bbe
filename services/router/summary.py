"""Counts of what a router decided, one record every few seconds."""

from collections import Counter
from collections.abc import Iterable, Sequence

from services.events.ids import derived_id
from services.events.instants import from_millis
from services.events.types import ContentDecided, OutcomeCount, ReviewClosed, ScoresSummarized
from services.router.core.items import Requested
from services.runtime.publishing import Publisher
from services.runtime.records import Outgoing


class Summary:
    """Outcomes since the last report. What is lost with a crash is lost: these are statistics."""

    def __init__(self, worker: str, every_ms: int, publisher: Publisher) -> None:
        self._worker, self._every, self._publisher = worker, every_ms, publisher
        self._since: int | None = None
        self._counts: Counter[tuple[str, str | None]] = Counter()

    def count(self, produced: Sequence[Outgoing]) -> None:
        """Take in committed outputs: final decisions, questions to people, closed items."""
        for out in produced:
            event = out.event
            if isinstance(event, ContentDecided) and event.final:
                self._counts[event.action, event.basis] += 1
            elif isinstance(event, Requested):
                self._counts[
                    "review" if event.purpose == "decision" else "audit", event.selection.reason
                ] += 1
            elif isinstance(event, ReviewClosed) and event.task_id is None:
                self._counts[event.reason, None] += 1

    def report(self, now: int) -> Iterable[Outgoing]:
        """The summary, where one is due and there is something to tell. `now` in ms."""
        if self._since is None:
            self._since = now
        if now < self._since + self._every:
            return ()
        since, counts = self._since, self._counts
        self._since, self._counts = now, Counter()
        if not counts:
            return ()
        event = ScoresSummarized(
            event_id=derived_id("scores_summarized", self._worker, since, now),
            occurred_at=from_millis(now),
            service="router",
            worker=self._worker,
            window_start=from_millis(since),
            window_end=from_millis(now),
            items=sum(counts.values()),
            outcomes=tuple(
                OutcomeCount(outcome=outcome, basis=basis, count=count)
                for (outcome, basis), count in sorted(counts.items(), key=str)
            ),
        )
        return (self._publisher.outgoing(event, self._worker),)
