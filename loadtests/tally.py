"""The independent count for millions of items: one byte an item, filled by a read-committed scan of the outcomes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import msgspec

from loadtests.scan import scan

FINAL, TASK, AUDIT, INTERIM, LET_GO = 1, 2, 4, 8, 16
LATER = (
    32  # decisions on what people were asked, and what takes the place of a decision: there may be several
)
SCAN_SECONDS = 600


class _Outcome(msgspec.Struct):
    item_id: str
    revision: int
    decision_seq: int
    final: bool = False
    interim: int = 0
    purpose: str | None = None


@dataclass
class Tally:
    """What came of `items` items. Duplicated: the same decision or task twice, or both of them for one item."""

    items: int
    decided: int = 0
    asked: int = 0
    audited: int = 0
    lost: int = 0
    duplicated: int = 0
    by_second: Counter[int] = field(default_factory=Counter)  # outcomes, by the second they were produced in

    def between(self, start: float, end: float) -> float:
        """Outcomes a second from `start` to `end`, in s since 1970."""
        first, last = int(start) + 1, int(end)
        return sum(self.by_second[second] for second in range(first, last)) / max(1, last - first)


def tally(bootstrap: str, prefix: str, items: int) -> Tally:
    """Count the outcomes of the items `prefix`-0 to `prefix`-(items - 1). Raises ScanTimeout."""
    seen, found = bytearray(items), Tally(items)
    decode = msgspec.json.Decoder(_Outcome).decode
    for record in scan(bootstrap, ("content.decided", "review.requested"), SCAN_SECONDS):
        if record.value is None:
            continue
        event = decode(record.value)
        name, _, number = event.item_id.rpartition("-")
        if name != prefix:
            continue
        if event.purpose is not None:
            kind = TASK if event.purpose == "decision" else AUDIT
        else:
            kind = LATER if event.decision_seq else FINAL
            if not event.final:
                kind = LET_GO if event.interim else INTERIM
        at = int(number)
        found.duplicated += bool(seen[at] & kind & ~LATER)
        seen[at] |= kind
        if kind in (FINAL, TASK):
            found.by_second[record.timestamp // 1000] += 1
    found.decided = sum(bool(what & FINAL) for what in seen)
    found.asked = sum(bool(what & TASK) for what in seen)
    found.audited = sum(bool(what & AUDIT) for what in seen)
    found.lost = sum(not what & (FINAL | TASK) for what in seen)
    found.duplicated += sum(what & (FINAL | TASK) == FINAL | TASK for what in seen)
    return found
