"""The training set: when to train, on which labels, and which of them are never trained on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from services.scoring.normalise import normalise
from services.scoring.split import Split, certifies, split_of

MAX_WEIGHT = 10.0  # of one answer: an item drawn at 1 in 1,000 must not outweigh everything else

Offsets = Mapping[int, int]


class Labelled(msgspec.Struct, frozen=True):
    """What people said of one text: an answer for each category that was in question."""

    text: str
    answers: dict[str, bool]
    selection_probability: float
    occurred_at: str
    partition: int
    offset: int
    model_version: str | None = None  # whose scores the text was selected by
    policy_version: str | None = None
    selected_because: str | None = None  # remoderated: a query chose it, no draw


class Sets(msgspec.Struct, frozen=True):
    """Labels by what they are for. No text, normalised, is in more than one."""

    pool: list[Labelled]  # trains
    audit: list[Labelled]  # calibrates: half of the audit split
    certifying: list[Labelled]  # the other half: left alone, so that it may certify the candidate
    frozen: list[Labelled]  # compares candidate and live, never trains


@dataclass(frozen=True)
class Answers:
    """What people said of texts: truth and weight [texts, categories]; weight 0 where they were not asked."""

    texts: Sequence[str]
    truth: NDArray[np.bool_]
    weight: NDArray[np.float64]


def should_train(new_labels: int, wanted: int, demanded: bool) -> bool:
    """Whether to train now: on demand, or once `wanted` labels have come since the last training."""
    return demanded or new_labels >= wanted


def furthest(*several: Offsets) -> dict[int, int]:
    """The furthest offset of each partition."""
    partitions = {partition for offsets in several for partition in offsets}
    return {p: max(offsets.get(p, 0) for offsets in several) for p in sorted(partitions)}


def divide(labels: Sequence[Labelled]) -> Sets:
    """Labels by the fixed split of their texts.

    Copies (one normalised text) count once, by their latest label; if any of them falls into the test split,
    the text is frozen, so that what is measured on was never trained on, in whatever spelling.
    """
    latest: dict[str, Labelled] = {}
    frozen: set[str] = set()
    for label in sorted(labels, key=lambda label: (label.occurred_at, label.partition, label.offset)):
        normal = normalise(label.text)
        if not normal:
            continue
        latest[normal] = label
        if split_of(label.text) is Split.TEST:
            frozen.add(normal)
    sets = Sets([], [], [], [])
    for normal, label in sorted(latest.items()):  # the order of arrival must not matter
        if normal in frozen:
            sets.frozen.append(label)
        elif split_of(label.text) is not Split.AUDIT:
            sets.pool.append(label)
        else:
            (sets.certifying if certifies(normal) else sets.audit).append(label)
    return sets


def to_answers(
    labels: Sequence[Labelled], categories: Sequence[str], most_weight: float = MAX_WEIGHT
) -> Answers:
    """Labels as arrays. An answer weighs 1 / its selection probability, at most `most_weight`; 0 where not asked."""
    truth = np.zeros((len(labels), len(categories)), bool)
    weight = np.zeros((len(labels), len(categories)))
    for row, label in enumerate(labels):
        for column, category in enumerate(categories):
            if category in label.answers:
                truth[row, column] = label.answers[category]
                weight[row, column] = min(most_weight, 1 / label.selection_probability)
    return Answers([label.text for label in labels], truth, weight)
