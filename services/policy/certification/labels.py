"""Audit labels as arrays: one unit a text, drawn with a known probability.

Sampling with unequal probabilities is made equal again by *thinning*: a unit drawn with probability p stays in a
sample of rate g with probability g / p. What stays is an equal-probability sample, so the exact binomial tests of
equal-probability samples hold, with no bound on weights and no variance to estimate (independent thinning of
independent draws: Lewis and Shedler 1979; Särndal, Swensson and Wretman 1992, section 3.2). Who stays is read off the
text's hash, so that the same labels always come to the same thresholds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


class Stratum(NamedTuple):
    """Items with a score from `lower` (inclusive) up to the next stratum's: drawn with at least `probability`."""

    lower: float
    probability: float


@dataclass(frozen=True)
class AuditLabels:
    """What people said of one category, in descending order of score.

    `scores`, `violates`, `probability` (of being drawn, given the item) and `luck` (in [0, 1), for thinning) have
    one entry a unit. `design` covers every score, its lowest stratum first.
    """

    scores: Floats
    violates: Flags
    probability: Floats
    luck: Floats
    design: tuple[Stratum, ...]

    @property
    def rates(self) -> tuple[float, ...]:
        """The different probabilities of the design, the highest first."""
        return tuple(sorted({stratum.probability for stratum in self.design}, reverse=True))

    @property
    def coin(self) -> float:
        """A number in [0, 1) that decides at the boundary of a test: it depends on which texts were drawn alone."""
        digest = blake2b(np.sort(self.luck).tobytes(), digest_size=8, person=b"boundary").digest()
        return (int.from_bytes(digest, "big") >> 11) / (1 << 53)

    def kept(self, rate: float) -> Flags:
        """Which units are in the sample thinned to `rate`: none of those that were drawn with less."""
        return (self.probability >= rate) & (self.luck * self.probability < rate)

    def lowest_rate(self, thresholds: Floats) -> Floats:
        """For each threshold the lowest probability with which an item with a score up to it was drawn."""
        lowers = np.array([stratum.lower for stratum in self.design])
        running = np.minimum.accumulate([stratum.probability for stratum in self.design])
        return np.asarray(running[np.searchsorted(lowers, thresholds, side="right").clip(1) - 1], np.float64)


def audit_labels(
    scores: Sequence[float] | Floats,
    violates: Sequence[bool] | Flags,
    probability: Sequence[float] | Floats,
    groups: Sequence[str],
    design: Sequence[Stratum] = (),
) -> AuditLabels:
    """Labels, one a text: of several with one group (hash of the text) the last counts, as retraining has it.

    `design` says with what probability items of each score were drawn, drawn or not. Without one nobody knows what was
    *not* drawn, so every item is taken to have been drawn with at least the lowest probability among the labels.
    Raises ValueError where lengths differ, a value is out of range, or a label contradicts the design.
    """
    last = {group: index for index, group in enumerate(groups)}
    chosen = np.fromiter(last.values(), np.intp, len(last))
    if not len(scores) == len(violates) == len(probability) == len(groups):
        raise ValueError("scores, answers, probabilities and groups must be as many")
    score = np.asarray(scores, np.float64)[chosen]
    drawn = np.asarray(probability, np.float64)[chosen]
    if len(chosen) and not (score.min() >= 0 and score.max() <= 1 and drawn.min() > 0 and drawn.max() <= 1):
        raise ValueError("scores must lie in [0, 1], probabilities of being drawn in (0, 1]")
    strata = tuple(sorted(design)) or (Stratum(0.0, float(drawn.min()) if len(chosen) else 1.0),)
    if strata[0].lower > 0:
        raise ValueError(f"the design says nothing of scores below {strata[0].lower}: add a stratum from 0")
    lowers = np.array([stratum.lower for stratum in strata])
    planned = np.array([stratum.probability for stratum in strata])[
        np.searchsorted(lowers, score, side="right") - 1
    ]
    if (drawn < planned * (1 - 1e-9)).any():
        raise ValueError(
            "a label was drawn with less than its stratum's probability: it is of another design"
        )
    order = np.argsort(-score, kind="stable")
    names = list(last)
    luck = np.array([_luck(names[index]) for index in order], np.float64)
    answers = np.asarray(violates, bool)[chosen]
    return AuditLabels(score[order], answers[order], np.maximum(drawn, planned)[order], luck, strata)


def _luck(group: str) -> float:
    """A number in [0, 1) that depends on the group alone, and on nothing that chose it."""
    digest = blake2b(group.encode("utf-8", "surrogatepass"), digest_size=8, person=b"thinning").digest()
    return (int.from_bytes(digest, "big") >> 11) / (1 << 53)
