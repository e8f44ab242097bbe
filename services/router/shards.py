"""What each shard may still do: automatic actions under the policy's caps, and questions under its budget."""

from collections.abc import Iterable

from services.policy.allowances import ShardState, allowed, counted, keeps
from services.policy.facts import Budget
from services.policy.model import Policy
from services.router.core import ItemState, Step
from services.router.core.tallying import KEY, did
from services.runtime.states import States


class Shards:
    """The shards of the batch in hand; a policy without caps and budget keeps nothing of them."""

    def __init__(self, shards: int) -> None:
        self._count = shards
        self._states: dict[int, ShardState] = {}

    def take_up(self, numbers: Iterable[int], states: States[ItemState | ShardState], policy: Policy) -> None:
        """Go on from what is committed."""
        self._states = {}
        for number in numbers if keeps(policy) else ():
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
        self._states[number], capped, budget = allowed(state, policy, number, self._count, at)
        return capped, budget

    def counted(self, number: int, step: Step) -> Step:
        """The step, counted."""
        if (state := self._states.get(number)) is not None:
            self._states[number] = counted(state, did(step.events))
        return step
