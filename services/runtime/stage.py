"""What a service decides, as the loop sees it. The wiring of a service implements `Stage`; its core stays pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeAlias, TypeVar

from services.runtime.records import Dropped, Outgoing, Record, Rejected
from services.runtime.states import Due, States

S = TypeVar("S", bound=Due)
Effect: TypeAlias = Outgoing | Rejected | Dropped


class Stage(Protocol[S]):
    """Events and state in, events and state out. Every method may be called again for the same input after an abort."""

    def not_ready(self) -> str:
        """Why content cannot be taken yet (as in: no model is released); empty when it can."""

    def broadcast(self, record: Record) -> None:
        """A record of a broadcast topic, in order, before any content and while it runs. Must be idempotent."""

    def handle(self, batch: Sequence[Record], states: States[S], now: int) -> Iterable[Effect]:
        """Decide a batch. `now` is in ms. An exception is the fault of a record: the loop finds out which."""

    def wake(self, shard: int, key: bytes, states: States[S], now: int) -> Iterable[Effect]:
        """A state is due; all that was acknowledged before has been handled."""

    def committed(self, produced: Sequence[Outgoing]) -> None:
        """The outputs of a batch are committed: count them."""

    def reports(self, now: int) -> Iterable[Outgoing]:
        """Summaries that are due, produced with the next transaction."""

    def encode_state(self, state: S) -> bytes:
        """A state as its changelog keeps it."""

    def decode_state(self, raw: bytes) -> S:
        """The reverse. Raises ValueError where it cannot."""


class Groups(Protocol[S]):
    """How the states of a stage are grouped, see services.runtime.groups."""

    def group_of(self, state: S) -> str | None:
        """The group that a state belongs to; None: to none. A function of the state alone."""

    def concerns(self, record: Record) -> str | None:
        """The group that a broadcast record says something of; None: of none."""

    def behind(self, state: S) -> bool:
        """Whether what the broadcast topics said of its group so far leaves something to do for a state."""

    def catch_up(self, shard: int, key: bytes, states: States[S], now: int) -> Iterable[Effect]:
        """Bring a state up to date. `now` is in ms. It may find that nothing is to be done, and is not asked again
        before the group is heard of again, or the shard is restored."""


@dataclass(frozen=True, slots=True)
class Stateless:
    """State of a service that keeps none."""

    due: int | None = None


@dataclass(frozen=True)
class Wiring(Generic[S]):
    """A stage and the topics that it is connected to, by base name (content.submitted, not content.submitted.demo)."""

    service: str
    stage: Stage[S]
    consumes: tuple[str, ...]  # content: divided among workers, offsets committed in the transaction
    broadcasts: tuple[str, ...]  # read whole by every worker
    produces: tuple[str, ...]
    changelog: str | None = None  # None: keeps no state
    groups: Groups[S] | None = None  # None: no state concerns another
