"""What the router keeps of an item: what people still have of it, and a marker for a while."""

import msgspec

from services.events.types import Circumstances, DecisionAction, Selection
from services.policy.precedents import HOLDS_MS
from services.router.core.items import Classified

REMEMBER_MS = HOLDS_MS  # a marker outlives what may still arrive: content topics keep records 7 days


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """What people were asked. `categories` were in question, the most severe first."""

    task_id: str
    decision_seq: int  # that its outcome will have
    queue: str
    expires_at: int  # ms
    selection: Selection
    categories: tuple[str, ...]
    severity: float
    supersedes: int | None = None  # the decision that stands while people look again; None: none does


class Hold(msgspec.Struct, frozen=True, kw_only=True):
    """An item is held until `until` (ms) at most, and `then` goes until people decide."""

    until: int
    then: DecisionAction


class Followed(msgspec.Struct, frozen=True, kw_only=True):
    """The text whose decision by people an item has: where they decide otherwise on a copy, it follows.

    `categories` are those in question, or named: a policy that keeps one of them to its own item keeps this one to
    itself. The rest is what its next decision says of the item.
    """

    text_hash: str
    categories: tuple[str, ...]
    model_version: str | None = None
    accepted_at: str | None = None
    run_id: str | None = None


def followed(item: Classified, *categories: str) -> Followed | None:
    """How an item follows its text; None where it has none."""
    if item.text_hash is None:
        return None
    return Followed(
        text_hash=item.text_hash,
        categories=tuple(sorted(set(categories))),
        model_version=item.model_version,
        accepted_at=item.accepted_at,
        run_id=item.run_id,
    )


class ItemState(msgspec.Struct, frozen=True, kw_only=True):
    """An item that people or the slow tier have, that people decided on, itself or in a copy, or that was withdrawn.
    What machines decided alone leaves no state.

    With neither `task` nor `audit` it is a marker: it says what was seen, so that nothing is asked twice and nothing
    late resurrects anything, and ends at `forget_at` (ms).
    """

    revision: int  # the highest seen
    forget_at: int
    withdrawn: bool = False
    decision_seq: int = 0  # the highest number given out in this revision
    action: DecisionAction | None = None  # of the decision in force, where there is a final one
    task: Task | None = None
    audit: Task | None = None
    hold: Hold | None = None  # while `task` waits
    classified: Classified | None = None  # while others have it: what is decided, or asked again, with
    circumstances: Circumstances | None = None
    slow_until: int | None = None  # ms; set while the slow tier has it, with neither task nor audit
    counters: dict[str, int] | None = None  # while the slow tier has it: as they stood when it came
    followed: Followed | None = None  # where people's decision on its text is in force
    known: bool = False  # while the slow tier has it: whether there was a state before

    @property
    def due(self) -> int:
        """When a task expires, a hold ends, or slow scores are late; with none of them, when the marker ends. ms."""
        if self.slow_until is not None:
            return self.slow_until
        times = [task.expires_at for task in (self.task, self.audit) if task is not None]
        if self.hold is not None:
            times.append(self.hold.until)
        return min(times, default=self.forget_at)


class Step(msgspec.Struct, frozen=True, gc=False):
    """What an event comes to. `dropped` says in a word why it had no effect."""

    state: ItemState | None
    events: tuple[msgspec.Struct, ...] = ()
    dropped: str | None = None


def stands(state: ItemState, now: int) -> ItemState:
    """The marker of an item that people were asked about again and did not decide: what stood stands. `now` in ms."""
    return ItemState(
        revision=state.revision,
        forget_at=now + REMEMBER_MS,
        decision_seq=state.decision_seq,
        action=state.action,
    )
