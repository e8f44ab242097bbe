"""Stages whose decisions are about one key at a time: event and state in, events and state out."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import ClassVar, Generic, TypeAlias, TypeVar

import msgspec

from services.events.codec import decode
from services.events.errors import UndecodableEvent
from services.events.ids import item_key
from services.runtime.publishing import Publisher
from services.runtime.records import Dropped, Outgoing, Record, Rejected
from services.runtime.stage import Effect
from services.runtime.states import Due, States

S = TypeVar("S", bound=Due)


@dataclass(frozen=True, slots=True)
class Tombstone:
    """Deletes what a compacted topic keeps under the key in hand."""

    topic: str


Event: TypeAlias = msgspec.Struct | Tombstone


class Transition(msgspec.Struct, Generic[S], frozen=True, gc=False):
    """What a decision comes to. `state` None forgets the key; `dropped` says why an event had no effect.

    A struct without garbage collection, as services.runtime.records has them: there is one for every item.
    """

    state: S | None
    events: tuple[Event, ...] = ()
    dropped: str | None = None
    accepted: int | None = None  # ms; set where the events are an item's outcome


class KeyedStage(ABC, Generic[S]):
    """A Stage whose keys are items. Subclasses wire pure functions; they hold what broadcast topics said."""

    consumes: ClassVar[Mapping[str, type[msgspec.Struct]]]  # event type by base topic

    def __init__(self, state_type: type[S], publisher: Publisher) -> None:
        self._encoder = msgspec.json.Encoder()
        self._decoder = msgspec.json.Decoder(state_type)
        self._publisher = publisher

    @abstractmethod
    def decide(self, event: msgspec.Struct, record: Record, state: S | None, now: int) -> Transition[S]:
        """The transition that an event causes. Pure but for what broadcast topics said."""

    @abstractmethod
    def due(self, key: str, state: S, now: int) -> Transition[S]:
        """The transition of a state whose time has come. It must move or clear the due time."""

    def begin(self, read: Sequence[tuple[Record, msgspec.Struct]]) -> None:
        """What a batch brings, before the first of it is decided. Nothing unless a subclass wants it."""

    def finish(self, events: Sequence[Event]) -> Sequence[Event]:
        """What is written instead of the events of a batch, as many, in their order: the same unless a subclass
        completes some, all at once.
        """
        return events

    def key_of(self, event: msgspec.Struct, key: bytes) -> bytes:
        """Under which key an event is produced: that of the item, unless a subclass says otherwise."""
        return key

    def not_ready(self) -> str:
        """Ready unless a subclass says otherwise."""
        return ""

    def broadcast(self, record: Record) -> None:
        """Broadcast topics concern only subclasses that wire some."""

    def committed(self, produced: Sequence[Outgoing]) -> None:
        """Nothing to count unless a subclass does."""

    def reports(self, now: int) -> Iterable[Outgoing]:
        """Nothing to report unless a subclass does."""
        return ()

    def handle(self, batch: Sequence[Record], states: States[S], now: int) -> Iterator[Effect]:
        """Decide record by record, in order."""
        read: list[tuple[Record, msgspec.Struct]] = []
        for record in batch:
            event = self._read(record)
            if isinstance(event, Rejected):
                yield event
            else:
                read.append((record, event))
        self.begin(read)
        made: list[Transition[S]] = []
        for record, event in read:
            before = states.get(record.partition, record.key)
            transition = self.decide(event, record, before, now)
            if transition.state is not before:  # most items have no state, before or after: not even a look
                states.put(record.partition, record.key, transition.state)
            made.append(transition)
        events = iter(self.finish([event for transition in made for event in transition.events]))
        for (record, _), transition in zip(read, made, strict=True):
            if transition.dropped is not None:
                yield Dropped(record, transition.dropped)
            for outcome in islice(events, len(transition.events)):
                yield self._written(outcome, record.key, record, transition.accepted)

    def _read(self, record: Record) -> msgspec.Struct | Rejected:
        try:
            event = decode(self.consumes[record.base], record.value or b"")
        except UndecodableEvent as error:
            return Rejected(record, "undecodable", str(error))
        key = item_key(event.source, event.item_id)  # type: ignore[attr-defined]
        if record.key != key.encode():
            return Rejected(
                record, "wrong_key", f"the key must be {key}: else events of one item lose their order"
            )
        return event

    def wake(self, shard: int, key: bytes, states: States[S], now: int) -> Iterator[Effect]:
        """Let the subclass decide what is due."""
        state = states.get(shard, key)
        if state is None:
            return
        yield from self.stepped(shard, key, states, self.due(key.decode(), state, now))

    def stepped(
        self, shard: int, key: bytes, states: States[S], transition: Transition[S]
    ) -> Iterator[Outgoing]:
        """Make a transition that no record causes: its state is staged, its events go out."""
        states.put(shard, key, transition.state)
        for event in self.finish(transition.events):
            yield self._written(event, key, None, transition.accepted)

    def encode_state(self, state: S) -> bytes:
        """JSON, so that people can read a changelog."""
        return self._encoder.encode(state)

    def decode_state(self, raw: bytes) -> S:
        """The reverse. Raises msgspec.ValidationError, a ValueError."""
        return self._decoder.decode(raw)

    def _written(self, event: Event, key: bytes, cause: Record | None, accepted: int | None) -> Outgoing:
        if isinstance(event, Tombstone):
            return self._publisher.tombstone(event.topic, key)
        return self._publisher.outgoing(event, self.key_of(event, key), cause, accepted)
