"""The labels in memory: label.recorded as it is compacted, so that what was withdrawn is gone here too."""

import threading
from collections.abc import Mapping

import structlog

from services.events.codec import decode
from services.events.errors import UndecodableEvent
from services.events.types import LabelRecorded
from services.retrainer.core.training_set import Labelled
from services.runtime.records import Record

log = structlog.get_logger()


class Labels:
    """Folds label.recorded, record by record. One thread writes, others may read."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_key: dict[bytes, Labelled] = {}
        self._offsets: dict[int, int] = {}
        self.undecodable = 0  # records that were left out

    def take(self, record: Record) -> None:
        """Take a label, or forget the one that a tombstone names. A label without text or answers teaches nothing."""
        label = self._decode(record)
        with self._lock:
            self._offsets[record.partition] = record.offset + 1
            if label is None:
                self._by_key.pop(record.key, None)
            else:
                self._by_key[record.key] = label

    def snapshot(self) -> tuple[list[Labelled], dict[int, int]]:
        """All labels, and for each partition the offset after the last record taken."""
        with self._lock:
            return list(self._by_key.values()), dict(self._offsets)

    def new_since(self, offsets: Mapping[int, int]) -> int:
        """How many labels were recorded at or after these offsets."""
        with self._lock:
            return sum(label.offset >= offsets.get(label.partition, 0) for label in self._by_key.values())

    def __len__(self) -> int:
        return len(self._by_key)

    def _decode(self, record: Record) -> Labelled | None:
        if record.value is None:
            return None
        try:
            event = decode(LabelRecorded, record.value)
        except UndecodableEvent as error:
            self.undecodable += 1
            log.error("label left out", partition=record.partition, offset=record.offset, reason=str(error))
            return None
        if not event.text or not event.labels:
            return None
        return Labelled(
            text=event.text,
            answers={label.category: label.value for label in event.labels},
            selection_probability=event.selection.probability,
            occurred_at=event.occurred_at,
            partition=record.partition,
            offset=record.offset,
            model_version=event.model_version,
            policy_version=event.policy_version,
            selected_because=event.selection.reason,
        )
