"""What is recorded of an item's first outcome: what was decided, and with what.

Three topics say it: content.classified has the item, content.decided the outcome, with scores, versions and
circumstances, and review.requested the question and the audit. A shard's outcomes stand on content.decided in the order
in which the router came to them, whatever caused them, so that order is the one to count caps and budgets in.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import msgspec

from services.events.instants import to_millis
from services.events.types import Circumstances, Score, Selection
from services.policy.route import Asked, Decided

SKEW_MS = 300_000
NOTHING = msgspec.Raw(b"null")


class Came(NamedTuple):
    """What an item came to, as far as a platform or a moderator can tell.

    `why` is a decision's basis or a question's reason, `meanwhile` what goes while people look; `why` and `queue` of a
    question that is not recorded any more are None.
    """

    verdict: str  # allow, limit, remove; review
    why: str | None
    categories: tuple[str, ...]
    queue: str | None = None
    meanwhile: str | None = None
    audited: bool = False

    @property
    def kind(self) -> str:
        """In two words, as in `remove automated`."""
        return f"{self.verdict} {self.why or '?'}"


class Inline(msgspec.Struct, gc=False):
    """Of a verdict in line: `decided_at` stood for the append time."""

    decided_at: str


class Published(msgspec.Struct, gc=False):
    """Of content.classified, what an outcome rests on and does not repeat."""

    source: str
    item_id: str
    revision: int
    withdrawn: bool = False
    item: msgspec.Raw = NOTHING
    tier: str = "fast"
    slow_until: str | None = None
    run_id: str | None = None
    inline: Inline | None = None


class Question(msgspec.Struct, gc=False):
    """Of review.requested."""

    task_id: str
    queue: str
    selection: Selection
    votes_wanted: int
    run_id: str | None = None


class Decision(msgspec.Struct, gc=False):
    """Of content.decided."""

    occurred_at: str
    source: str
    item_id: str
    revision: int
    decision_seq: int
    final: bool
    action: str
    basis: str
    circumstances: Circumstances
    interim: int = 0
    categories: tuple[str, ...] = ()
    rule: str | None = None
    supersedes: int | None = None
    scores: tuple[Score, ...] = ()
    model_version: str | None = None
    policy_version: str | None = None
    accepted_at: str | None = None
    run_id: str | None = None

    @property
    def first(self) -> bool:
        """Whether it is what its revision came to first: decided, or for now while people look."""
        return (
            self.final
            if self.decision_seq == 0
            else self.decision_seq == 1 and not (self.final or self.interim)
        )


published = msgspec.json.Decoder(Published).decode
question = msgspec.json.Decoder(Question).decode
decision = msgspec.json.Decoder(Decision).decode


class Recorded(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An item with its first outcome; what a policy looks at in it (services.policy.route.Scored) is as it was then.

    `at` (ms) is when the shard counted it; `rule` and `votes` (by queue) are the outcome's.
    """

    shard: int
    at: int
    source: str
    item_id: str
    revision: int
    item: msgspec.Raw
    scores: tuple[Score, ...]
    model_version: str | None
    accepted_at: str | None
    policy_version: str | None
    circumstances: Circumstances
    inline: bool
    came: Came
    rule: str | None
    votes: tuple[tuple[str, int], ...]

    @property
    def key(self) -> str:
        """Whose outcome it is."""
        return f"{self.source}/{self.item_id}"


class Inherited(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A later decision as people decided on a copy: it counts for the caps. `open`: people were being asked."""

    shard: int
    at: int
    key: str
    revision: int
    action: str
    open: bool
    model_version: str | None
    policy_version: str | None
    circumstances: Circumstances


class Shard:
    """Joins what is recorded of one shard. Feed questions first, then items and decisions in their topics' order, an
    item before what was decided on it.
    """

    def __init__(self, number: int) -> None:
        self.number = number
        self.unmatched = 0  # outcomes whose item is not recorded any more
        self.unasked = 0  # questions that are not
        self._items: dict[tuple[str, str, int, str], deque[tuple[int, Published]]] = {}
        self._questions: dict[str, tuple[str, str, int]] = {}
        self._behind = 0  # how long after its append an item was handled of late, ms

    def publish(self, item: Published, at: int) -> None:
        """An item was scored, appended `at` (ms)."""
        if item.run_id is None and not item.withdrawn:
            key = (item.source, item.item_id, item.revision, item.tier)
            self._items.setdefault(key, deque()).append((at, item))

    def ask(self, asked: Question) -> None:
        """People were asked."""
        if asked.run_id is None:
            self._questions[asked.task_id] = (asked.queue, asked.selection.reason, asked.votes_wanted)

    def lacks(self, decided: Decision) -> bool:
        """Whether what was decided on has yet to be published."""
        if decided.run_id is not None or not decided.first:
            return False
        of = decided.source, decided.item_id, decided.revision
        slow = decided.circumstances.slow == "scored"
        return (*of, "fast") not in self._items or (slow and (*of, "slow") not in self._items)

    def decide(self, decided: Decision) -> Recorded | Inherited | None:
        """What a decision says; None where it is nobody's first and inherits nothing, or of a run of its own."""
        if decided.run_id is not None:
            return None
        if not decided.first:
            return self._inherited(decided) if decided.final and decided.basis == "duplicate" else None
        fast = self._next(decided, "fast")
        copied = (
            decided.basis == "duplicate"
        )  # maybe while it waited for slow scores, of which it then says nothing
        slow = self._next(decided, "slow") if copied or decided.circumstances.slow == "scored" else None
        if fast is None:
            self.unmatched += 1
            return None
        item, came, votes = fast[1], *self._came(decided)
        return Recorded(
            shard=self.number,
            at=self._at(decided, fast[0], item, None if slow is None else slow[0]),
            source=decided.source,
            item_id=decided.item_id,
            revision=decided.revision,
            item=item.item,
            scores=decided.scores,
            model_version=decided.model_version,
            accepted_at=decided.accepted_at if item.inline is None else item.inline.decided_at,
            policy_version=decided.policy_version,
            circumstances=decided.circumstances,
            inline=decided.basis == "inline",
            came=came,
            rule=decided.rule,
            votes=votes,
        )

    def _next(self, decided: Decision, tier: str) -> tuple[int, Published] | None:
        key = (decided.source, decided.item_id, decided.revision, tier)
        if (waiting := self._items.get(key)) is None:
            return None
        found = waiting.popleft()
        if not waiting:
            del self._items[key]
        return found

    def _came(self, decided: Decision) -> tuple[Came, tuple[tuple[str, int], ...]]:
        task = f"{decided.source}/{decided.item_id}@{decided.revision}."
        if not decided.final:
            found = self._questions.pop(task + "1", None)
            queue, reason, votes = found or (None, None, 0)
            self.unasked += found is None
            came = Came("review", reason, decided.categories, queue, decided.action)
            return came, () if queue is None else ((queue, votes),)
        audit = self._questions.pop(task + "audit", None) if self._questions else None
        came = Came(decided.action, decided.basis, decided.categories, audited=audit is not None)
        return came, () if audit is None else ((audit[0], audit[2]),)

    def _at(self, decided: Decision, appended: int, item: Published, slow: int | None) -> int:
        """When the shard counted it: as its record was appended; where its time was up, as the timer rang.

        An item that lay so long before it was handled that its slow scores, or the end of its time, had come by then
        did not wait.
        """
        handled = to_millis(decided.occurred_at)
        if item.slow_until is None:
            self._behind = handled - appended
            return appended
        if slow is not None:
            return slow if slow > appended + self._behind or decided.basis != "duplicate" else appended
        up = to_millis(item.slow_until)
        return handled if handled >= up > appended + self._behind else appended

    def _inherited(self, decided: Decision) -> Inherited:
        return Inherited(
            shard=self.number,
            at=to_millis(decided.occurred_at),
            key=f"{decided.source}/{decided.item_id}",
            revision=decided.revision,
            action=decided.action,
            open=decided.supersedes is None,
            model_version=decided.model_version,
            policy_version=decided.policy_version,
            circumstances=decided.circumstances,
        )


def joined(
    shard: Shard, items: Iterable[tuple[int, Published]], decisions: Iterable[Decision]
) -> Iterator[Recorded | Inherited | None]:
    """What each decision says, in their order; None: nothing. Items with their append times, ms.

    Items are read as far as the clock of who decided, and, as clocks differ, on to the item that was decided on:
    at the most SKEW_MS further, where it is not recorded any more.
    """
    feed = iter(items)
    ahead = next(feed, None)
    for decided in decisions:
        now = to_millis(decided.occurred_at)
        while ahead is not None and (ahead[0] <= now or (ahead[0] <= now + SKEW_MS and shard.lacks(decided))):
            shard.publish(ahead[1], ahead[0])
            ahead = next(feed, None)
        yield shard.decide(decided)


def came(outcome: Decided | Asked, while_pending: str, inline: bool) -> Came:
    """What an outcome of `route` comes to; a decision is `inline` where it was given so."""
    if isinstance(outcome, Asked):
        meanwhile = "hold" if while_pending == "hold" else "allow"
        return Came("review", outcome.reason, outcome.categories, outcome.queue, meanwhile)
    basis = "inline" if inline else outcome.basis
    return Came(outcome.action, basis, outcome.categories, audited=outcome.audited is not None)
