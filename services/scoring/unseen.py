"""Which labels may certify a model: those on texts that neither its training, its calibration nor its gate has seen."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeVar

from services.scoring.manifest import Manifest
from services.scoring.normalise import normalise
from services.scoring.split import Split, certifies, split_of

LABEL_OFFSETS = (
    "label_offsets"  # in a lineage: partition of label.recorded to the offset after the last one read
)


class Placed(Protocol):
    """A label on a text, and where label.recorded has it."""

    @property
    def text(self) -> str: ...
    @property
    def occurred_at(self) -> str: ...
    @property
    def partition(self) -> int: ...
    @property
    def offset(self) -> int: ...


L = TypeVar("L", bound=Placed)


def label_offsets(lineage: Mapping[str, Any]) -> dict[int, int]:
    """How far label.recorded was read for a model, by partition; empty for one that was not trained on labels."""
    return {int(partition): int(offset) for partition, offset in (lineage.get(LABEL_OFFSETS) or {}).items()}


def unseen(labels: Sequence[L], model: Manifest) -> tuple[list[L], int]:
    """Labels that neither trained nor gated the model, in their order of time; and how many did.

    Those are the half of the audit split that calibrates nothing either, and every label that came after the training
    had read label.recorded, unless an earlier label was on the same text. A model retrained before the two halves were
    told apart (its lineage counts none that certify) was calibrated on both.
    """
    ordered = sorted(labels, key=lambda label: (label.occurred_at, label.partition, label.offset))
    read = label_offsets(model.lineage)
    held_back = "certifying" in (model.lineage.get("labels") or {})
    old = {
        normalise(label.text)
        for label in ordered
        if label.offset < read.get(label.partition, 0)
        and not (held_back and split_of(label.text) is Split.AUDIT and certifies(normalise(label.text)))
    }
    usable = [label for label in ordered if normalise(label.text) and normalise(label.text) not in old]
    return usable, len(ordered) - len(usable)
