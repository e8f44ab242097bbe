"""Histograms of what a worker scored, between two summaries."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from services.events.ids import derived_id
from services.events.instants import from_millis
from services.events.types import Histogram, InlineVerdict, ScoresSummarized

Floats = NDArray[np.float32] | NDArray[np.float64]
BINS = 20  # equal bins of [0, 1] in a histogram of scores


@dataclass
class Tally:
    """How many items a model version scored, and how many scores of each category lie in each bin, 1 in the last."""

    items: int = 0
    histograms: dict[str, NDArray[np.int64]] = field(default_factory=dict)

    def add(self, other: "Tally") -> None:
        """Count what the other has counted."""
        self.items += other.items
        for category, counts in other.histograms.items():
            self.histograms[category] = self.histograms.get(category, 0) + counts


class Scoring(msgspec.Struct):
    """What the stage scored in one call, by model version: counted as a whole once the call's outputs are committed."""

    tallies: dict[str, Tally] = {}

    def add(self, model_version: str, categories: Sequence[str], probability: Floats) -> None:
        """Count the scores of some items, [items, categories]."""
        if not len(probability):
            return
        bins = np.fmin(BINS - 1, np.fmax(0, probability.astype(np.float64) * BINS)).astype(np.int64)
        histograms = {
            category: np.bincount(bins[:, column], minlength=BINS)
            for column, category in enumerate(categories)
        }
        self.tallies.setdefault(model_version, Tally()).add(Tally(len(probability), histograms))

    def add_inline(self, verdict: InlineVerdict) -> None:
        """Count an item that brought its scores."""
        found = np.array([[score.probability for score in verdict.scores]])
        self.add(verdict.model_version, [score.category for score in verdict.scores], found)


class Summary:
    """Counts committed scores by model version; `every` is in ms."""

    def __init__(self, worker: str, every: int, tier: Literal["fast", "slow"] = "fast") -> None:
        self._worker, self._every, self._tier = worker, every, tier
        self._since: int | None = None
        self._tallies: dict[str, Tally] = {}

    def add(self, scorings: Iterable[Scoring]) -> None:
        """Count what is committed."""
        for scoring in scorings:
            for version, tally in scoring.tallies.items():
                self._tallies.setdefault(version, Tally()).add(tally)

    def take(self, now: int) -> list[ScoresSummarized]:
        """The summaries of the window that ends at `now` (ms), where its time has come; then a new one begins."""
        if self._since is None:
            self._since = now
        if now - self._since < self._every:
            return []
        since, self._since = self._since, now
        tallies, self._tallies = self._tallies, {}
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
                items=tally.items,
                histograms=tuple(
                    Histogram(category=category, counts=tuple(counts.tolist()))
                    for category, counts in sorted(tally.histograms.items())
                ),
            )
            for version, tally in sorted(tallies.items())
        ]
