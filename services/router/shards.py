"""What each shard may still do: automatic actions under the policy's caps, and questions under its budget."""

from collections.abc import Iterable

from msgspec.structs import replace

from services.policy.facts import Budget
from services.policy.model import Policy
from services.router.core import ItemState, Step, caps, spending
from services.router.core.shard import KEY, ShardState
from services.runtime.states import States


class Shards:
    """The shards of the batch in hand; a policy without caps and budget keeps nothing of them."""

    def __init__(self, shards: int) -> None:
        self._count = shards
        self._states: dict[int, ShardState] = {}

    def take_up(self, numbers: Iterable[int], states: States[ItemState | ShardState], policy: Policy) -> None:
        """Go on from what is committed."""
        self._states = {}
        for number in numbers if policy.caps or policy.budget is not None else ():
            kept = states.get(number, KEY)
            self._states[number] = kept if isinstance(kept, ShardState) else ShardState()

    def put_down(self, states: States[ItemState | ShardState]) -> None:
        """Stage what the batch came to."""
        for number, state in self._states.items():
            states.put(number, KEY, state)

    def allowed(self, number: int, policy: Policy, at: int) -> tuple[frozenset[str], Budget | None]:
        """Actions that are capped, and whom people have time for, at `at` (append time, ms)."""
        if (state := self._states.get(number)) is None:
            return frozenset(), None
        state, budget = caps.at(state, at), None
        if policy.budget is not None:
            spent = spending.at(state.spending, policy.budget, number, self._count, at)
            budget, state = spending.room(spent), replace(state, spending=spent)
        self._states[number] = state
        return caps.over(state, policy.caps, number, self._count), budget

    def counted(self, number: int, step: Step) -> Step:
        """The step, counted."""
        if (state := self._states.get(number)) is not None:
            state = caps.counted(state, step.events)
            if state.spending is not None:
                state = replace(state, spending=spending.counted(state.spending, step.events))
            self._states[number] = state
        return step
