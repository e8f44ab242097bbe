"""Audited labels for a model: which may certify it, and how each was drawn."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import click
import msgspec
import numpy as np

from services.policy.certification.labels import AuditLabels, Floats, Stratum, audit_labels
from services.retrainer.core.training_set import Labelled
from services.retrainer.labels import Labels
from services.runtime.reading import whole_topics
from services.runtime.settings import Settings
from services.scoring.bundle import Bundle
from services.scoring.normalise import normalise
from services.scoring.unseen import unseen

REMODERATED = "remoderated"  # asked about again in a run: a query chose it, and how likely nobody knows


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A line of --labels."""

    text: str
    labels: dict[str, bool]
    probability: float = 1.0


@dataclass(frozen=True)
class Audits:
    """Labels of one category that may certify a model, and the pool that they were drawn from, as far as known.

    `pool` holds the score of each audited text, `pool_items` for how many items it stands: 1 / its probability.
    `seen`: labels left out because the model's training or gate saw them.
    """

    labels: AuditLabels
    pool: Floats
    pool_items: Floats
    seen: int


def from_kafka(settings: Settings) -> list[Labelled]:
    """label.recorded as it is compacted. Raises MissingTopic, Stalled, KafkaException."""
    labels = Labels()
    with closing(whole_topics(settings, "tune", ["label.recorded"])) as reader:
        for record in reader.to_end():
            labels.take(record)
    return labels.snapshot()[0]


def from_file(path: Path) -> list[Labelled]:
    """Labels from JSON lines, none of which any model has seen. Raises ClickException, with the line."""
    found = []
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        if not line.strip():
            continue
        try:
            told = msgspec.json.decode(line, type=Line)
        except msgspec.DecodeError as error:
            raise click.ClickException(f"{path}, line {number}: {error}") from error
        if not 0 < told.probability <= 1:
            raise click.ClickException(f"{path}, line {number}: `probability` must be in (0, 1]")
        found.append(Labelled(told.text, told.labels, told.probability, f"{number:020}", -1, number))
    return found


def audits_of(
    labels: Sequence[Labelled], model: Bundle, category: str, design: Sequence[Stratum] = ()
) -> Audits:
    """The labels that may certify `model`, scored by it: one a normalised text, the latest."""
    usable, seen = unseen(labels, model.manifest)
    asked = [label for label in usable if category in label.answers and label.selected_because != REMODERATED]
    column = model.categories.index(category)
    found = model.classifier.classify([label.text for label in asked])
    scores = found.probability[:, column].astype(np.float64)
    made = audit_labels(
        scores,
        [label.answers[category] for label in asked],
        [label.selection_probability for label in asked],
        [normalise(label.text) for label in asked],
        design,
    )
    return Audits(made, made.scores, 1 / made.probability, seen)
