"""Histograms of what a worker scored, between two summaries."""

from typing import Literal

from services.classifier.core import Scored, add_to_histograms
from services.events.ids import derived_id
from services.events.instants import from_millis
from services.events.types import Histogram, ScoresSummarized


class Summary:
    """Counts committed scores by model version; `every` is in ms."""

    def __init__(self, worker: str, every: int, tier: Literal["fast", "slow"] = "fast") -> None:
        self._worker, self._every, self._tier = worker, every, tier
        self._since: int | None = None
        self._items: dict[str, int] = {}
        self._histograms: dict[str, dict[str, list[int]]] = {}

    def add(self, event: Scored) -> None:
        """Count one committed event; a withdrawal has no scores."""
        if event.model_version is None:
            return
        self._items[event.model_version] = self._items.get(event.model_version, 0) + 1
        add_to_histograms(self._histograms.setdefault(event.model_version, {}), event.scores)

    def take(self, now: int) -> list[ScoresSummarized]:
        """The summaries of the window that ends at `now` (ms), where its time has come; then a new one begins."""
        if self._since is None:
            self._since = now
        if now - self._since < self._every:
            return []
        since, self._since = self._since, now
        items, self._items = self._items, {}
        histograms, self._histograms = self._histograms, {}
        return [
            ScoresSummarized(
                event_id=derived_id("scores_summarized", self._worker, since, now, version),
                occurred_at=from_millis(now),
                service="classifier",
                worker=self._worker,
                window_start=from_millis(since),
                window_end=from_millis(now),
                model_version=version,
                tier=self._tier,
                items=count,
                histograms=tuple(
                    Histogram(category=category, counts=tuple(counts))
                    for category, counts in sorted(histograms.get(version, {}).items())
                ),
            )
            for version, count in sorted(items.items())
        ]
