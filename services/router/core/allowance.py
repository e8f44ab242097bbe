"""What a candidate may still do: its caps and its budget of reviews, counted in the worker's memory.

Counted as for the live policy (services.policy.allowances), with two differences. It is not kept on the changelog: a
worker that starts, or takes a shard over, begins the minute and the hour anew, and a batch that is handled again counts
again. And where a trial looks at a share of the items, it has that share of the caps and of the budget.
"""

import math

from msgspec.structs import replace

from services.policy.allowances import Did, ShardState, allowed, counted, keeps
from services.policy.facts import Budget
from services.policy.model import Policy
from services.policy.route import Asked, Outcome


class Allowance:
    """Of one candidate, for all shards that the worker has or had."""

    def __init__(self, policy: Policy, share: float, shards: int) -> None:
        self._policy = replace(
            policy,
            caps={action: math.ceil(cap * share) for action, cap in policy.caps.items()},
            budget=None if policy.budget is None else math.ceil(policy.budget * share),
        )
        self._keeps = keeps(policy)
        self._shards = shards
        self._states: dict[int, ShardState] = {}

    def left(self, shard: int, at: int) -> tuple[frozenset[str], Budget | None]:
        """Actions that are capped, and whom people have time for, at `at` (append time, ms)."""
        if not self._keeps:
            return frozenset(), None
        state = self._states.get(shard, ShardState())
        self._states[shard], capped, budget = allowed(state, self._policy, shard, self._shards, at)
        return capped, budget

    def count(self, shard: int, outcome: Outcome) -> None:
        """Count what the candidate said of an item for which it was asked what is left."""
        if (state := self._states.get(shard)) is not None:
            asked = isinstance(outcome, Asked)
            action = None if isinstance(outcome, Asked) else outcome.action
            self._states[shard] = counted(state, Did(action, int(asked), outcome.worth))
