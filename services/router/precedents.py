"""What people decided on texts in the last seven days, as text.decided says it: the last record of a text counts.

Records of one text are all in one partition, so every worker comes to the same whatever else it heard before.
"""

from services.events.codec import decode
from services.events.ids import task_id
from services.events.types import Precedent, TextDecided
from services.router.core.state import REMEMBER_MS
from services.runtime.records import Record

TOPIC = "text.decided"


class Precedents:
    """By text hash. Bounded by age, and by number: the oldest go first, and their next copy goes to people."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._by_text: dict[str, tuple[int, Precedent]] = {}  # when (ms), what; the oldest first

    def __len__(self) -> int:
        return len(self._by_text)

    def take(self, record: Record) -> None:
        """One record. Raises UndecodableEvent."""
        if record.value is None:
            self._by_text.pop(record.key.decode(), None)
            return
        event = decode(TextDecided, record.value)
        self._by_text.pop(event.text_hash, None)
        self._by_text[event.text_hash] = (
            record.timestamp,
            Precedent(
                decision=task_id(event.source, event.item_id, event.revision, event.decision_seq),
                action=event.action,
                categories=event.categories,
            ),
        )
        while len(self._by_text) > self._most or self._oldest() + REMEMBER_MS <= record.timestamp:
            del self._by_text[next(iter(self._by_text))]

    def of(self, text_hash: str | None, now: int = 0) -> Precedent | None:
        """What people decided on a text; None where nothing, or at `now` (ms) too long ago."""
        if text_hash is None or (found := self._by_text.get(text_hash)) is None:
            return None
        at, precedent = found
        return precedent if at + REMEMBER_MS > now else None

    def _oldest(self) -> int:
        return next(iter(self._by_text.values()))[0]
