"""Copies of what people decided: what they decided on which texts, and whether an item inherits it.

text.decided says it, and the last record of a text counts. Records of one text are all in one partition, so every
worker comes to the same whatever else it heard before.
"""

import threading
from collections.abc import Iterable

from services.events.codec import decode
from services.events.ids import task_id
from services.events.types import Precedent, TextDecided
from services.policy.model import Policy

TOPIC = "text.decided"
HOLDS_MS = 7 * 24 * 3_600_000  # how long after people decided copies are decided alike


class Precedents:
    """What people decided, by text hash; may be read from any thread.

    Bounded by age, and by number: the oldest go first, and their next copy goes to people.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._by_text: dict[str, tuple[int, Precedent]] = {}  # when (ms), what; the oldest first

    def __len__(self) -> int:
        return len(self._by_text)

    def take(self, key: bytes, value: bytes | None, at: int) -> None:
        """A record of text.decided, appended at `at` (ms). Raises UndecodableEvent."""
        if value is None:
            with self._lock:
                self._by_text.pop(key.decode(), None)
            return
        event = decode(TextDecided, value)
        precedent = Precedent(
            decision=task_id(event.source, event.item_id, event.revision, event.decision_seq),
            action=event.action,
            categories=event.categories,
        )
        with self._lock:
            self._by_text.pop(event.text_hash, None)
            self._by_text[event.text_hash] = (at, precedent)
            while len(self._by_text) > self._most or self._oldest() + HOLDS_MS <= at:
                del self._by_text[next(iter(self._by_text))]

    def of(self, text_hash: str | None, now: int = 0) -> Precedent | None:
        """What people decided on a text; None where nothing, or at `now` (ms) too long ago."""
        if text_hash is None:
            return None
        found = self._by_text.get(text_hash)  # one look, which needs no lock
        return found[1] if found is not None and found[0] + HOLDS_MS > now else None

    def _oldest(self) -> int:
        return next(iter(self._by_text.values()))[0]


def inherits(policy: Policy, precedent: Precedent, in_question: Iterable[str]) -> bool:
    """Whether an item with these categories in question is decided as people decided on its copy.

    Not where the policy turns it off, as a whole or for a category: one of those that people named, or one in
    question for the item, so that what they allowed there is not inherited either.
    """
    return precedent.action != "hold" and follows(policy, (*precedent.categories, *in_question))


def follows(policy: Policy, categories: Iterable[str]) -> bool:
    """Whether the policy lets people's decisions in these categories reach copies."""
    rules = map(policy.categories.get, categories)
    return policy.copies and all(rule is None or rule.copies for rule in rules)


def words(precedent: Precedent) -> str:
    """Whose decision it is, as decisions say it in `rule`."""
    return f"copy of {precedent.decision}"
