"""What a shard may still do: automatic actions under the policy's caps, and questions under its review budget.

Caps are divided among shards by minutes of append time, so that what is handled again comes to the same. In each the
shares of all shards add up to the cap exactly; what a division leaves over goes to other shards every minute. The
router keeps this state on its changelog, where it commits with the decisions that it counts; a backtest counts again.
"""

import math
from collections.abc import Mapping
from typing import Literal

import msgspec

from services.policy import spending
from services.policy.facts import Budget
from services.policy.model import Policy
from services.policy.spending import MINUTE_MS, Spending, share

Action = Literal["allow", "limit", "remove"]


class ShardState(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="shard"):
    """Of a shard: automatic decisions of the minute in hand, by action, and what people's time was spent on."""

    minute: int = 0  # since 1970
    taken: dict[str, int] = {}
    spending: Spending | None = None

    @property
    def due(self) -> None:
        """It never wakes."""
        return None


class Did(msgspec.Struct, frozen=True, gc=False):
    """What was made of an item, as far as it counts."""

    action: str | None = None  # of a decision without people, their word on a copy included
    asked: int = 0  # questions
    value: float | None = None  # that the budget gave the question; None: the budget had no say


def keeps(policy: Policy) -> bool:
    """Whether anything is counted for the policy."""
    return bool(policy.caps) or policy.budget is not None


def allowed(
    state: ShardState, policy: Policy, shard: int, shards: int, timestamp: int
) -> tuple[ShardState, frozenset[str], Budget | None]:
    """The state at `timestamp` (append time, ms), actions that are capped, and whom people have time for."""
    state, budget = at(state, timestamp), None
    if policy.budget is not None:
        spent = spending.at(state.spending, policy.budget, shard, shards, timestamp)
        budget = spending.room(spent)
        if spent is not state.spending:
            state = msgspec.structs.replace(state, spending=spent)
    return state, over(state, policy.caps, shard, shards), budget


def counted(state: ShardState, did: Did) -> ShardState:
    """The state after that."""
    taken, spent = state.taken, state.spending
    if did.action is not None:
        taken = taken | {did.action: taken.get(did.action, 0) + 1}
    if spent is not None:
        spent = spending.counted(spent, did.asked, did.value)
    if taken is state.taken and spent is state.spending:
        return state
    return ShardState(minute=state.minute, taken=taken, spending=spent)


class Account:
    """A shard's state while a batch goes on: the same as `allowed` and `counted` in turns, counted in place."""

    def __init__(self, state: ShardState, policy: Policy, shard: int, shards: int) -> None:
        self._policy, self._shard, self._shards = policy, shard, shards
        self._minute, self._ends = state.minute, 0
        self._taken: dict[str, int] = {}
        self._shares: dict[str, float] = {}  # how many of an action the shard may take in this minute
        self._capped, self._spending = NONE, state.spending
        self._open(state)

    @property
    def state(self) -> ShardState:
        """What it came to."""
        return ShardState(minute=self._minute, taken=dict(self._taken), spending=self._spending)

    def allowed(self, timestamp: int) -> tuple[frozenset[str], Budget | None]:
        """Actions that are capped, and whom people have time for, at `timestamp` (append time, ms)."""
        if timestamp < self._ends and self._policy.budget is None:
            return self._capped, None
        state, capped, budget = allowed(self.state, self._policy, self._shard, self._shards, timestamp)
        self._open(state)
        return capped, budget

    def count(self, did: Did) -> None:
        """Count what was made of an item."""
        if (action := did.action) is not None:
            taken = self._taken[action] = self._taken.get(action, 0) + 1
            if taken >= self._shares.get(action, NO_CAP):
                self._capped |= {action}
        if (spent := self._spending) is not None:
            self._spending = spending.counted(spent, did.asked, did.value)

    def _open(self, state: ShardState) -> None:
        self._minute, self._taken, self._spending = state.minute, dict(state.taken), state.spending
        self._ends = (state.minute + 1) * MINUTE_MS
        caps = self._policy.caps
        self._shares = {
            action: share(cap, self._shard, self._shards, state.minute) for action, cap in caps.items()
        }
        self._capped = over(state, caps, self._shard, self._shards)


def at(state: ShardState | None, timestamp: int) -> ShardState:
    """The state at `timestamp` (ms): a new minute begins at 0, a record older than the last counts in its minute."""
    minute = timestamp // MINUTE_MS
    if state is None:
        return ShardState(minute=minute)
    return msgspec.structs.replace(state, minute=minute, taken={}) if minute > state.minute else state


def over(state: ShardState, caps: Mapping[Action, int], shard: int, shards: int) -> frozenset[str]:
    """Actions of which the shard has had its share this minute."""
    full = [
        action
        for action, cap in caps.items()
        if state.taken.get(action, 0) >= share(cap, shard, shards, state.minute)
    ]
    return frozenset(full) if full else NONE


NONE: frozenset[str] = frozenset()
NO_CAP = math.inf
