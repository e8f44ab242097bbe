"""What each shard may still do: automatic actions under the policy's caps, and questions under its budget."""

from collections.abc import Iterable

from services.policy.allowances import NONE, Account, ShardState, keeps
from services.policy.facts import Budget
from services.policy.model import Policy
from services.router.core import ItemState, Step
from services.router.core.tallying import KEY, did
from services.runtime.states import States


class Shards:
    """The shards of the batch in hand; a policy without caps and budget keeps nothing of them."""

    def __init__(self, shards: int) -> None:
        self._count = shards
        self._accounts: dict[int, Account] = {}

    def take_up(self, numbers: Iterable[int], states: States[ItemState | ShardState], policy: Policy) -> None:
        """Go on from what is committed."""
        self._accounts = {}
        for number in numbers if keeps(policy) else ():
            kept = states.get(number, KEY)
            state = kept if isinstance(kept, ShardState) else ShardState()
            self._accounts[number] = Account(state, policy, number, self._count)

    def put_down(self, states: States[ItemState | ShardState]) -> None:
        """Stage what the batch came to."""
        for number, account in self._accounts.items():
            states.put(number, KEY, account.state)

    def allowed(self, number: int, at: int) -> tuple[frozenset[str], Budget | None]:
        """Actions that are capped, and whom people have time for, at `at` (append time, ms)."""
        account = self._accounts.get(number)
        return (NONE, None) if account is None else account.allowed(at)

    def counted(self, number: int, step: Step) -> Step:
        """The step, counted."""
        if (account := self._accounts.get(number)) is not None:
            account.count(did(step.events))
        return step
