"""Histograms of what a worker scored, between two summaries."""

from collections.abc import Iterable
from itertools import chain
from operator import attrgetter
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from services.classifier.core import BINS, Scored, histograms_of
from services.events.ids import derived_id
from services.events.instants import from_millis
from services.events.types import Histogram, ScoresSummarized

NOTHING = np.zeros(BINS, np.int64)


class Summary:
    """Counts committed scores by model version; `every` is in ms."""

    def __init__(self, worker: str, every: int, tier: Literal["fast", "slow"] = "fast") -> None:
        self._worker, self._every, self._tier = worker, every, tier
        self._since: int | None = None
        self._items: dict[str, int] = {}
        self._histograms: dict[str, dict[str, NDArray[np.int64]]] = {}

    def add(self, events: Iterable[Scored]) -> None:
        """Count committed events; a withdrawal has no scores."""
        by_version: dict[str, list[Scored]] = {}
        for event in events:
            if event.model_version is not None:
                by_version.setdefault(event.model_version, []).append(event)
        for version, of in by_version.items():
            self._items[version] = self._items.get(version, 0) + len(of)
            histograms = self._histograms.setdefault(version, {})
            scores = list(chain.from_iterable(map(attrgetter("scores"), of)))
            for category, counts in histograms_of(scores).items():
                histograms[category] = histograms.get(category, NOTHING) + counts

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
                    Histogram(category=category, counts=tuple(counts.tolist()))
                    for category, counts in sorted(histograms.get(version, {}).items())
                ),
            )
            for version, count in sorted(items.items())
        ]
