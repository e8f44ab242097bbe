"""States that belong together though their keys lie on different shards, of different workers.

What a broadcast record says of a group concerns every state of it, wherever that is kept: each worker brings its own
up to date in its next transaction. What there is to do is derived from the states and from what the broadcast topics
said, so a worker that was killed in between, or was given the shard since, finds it again; done once, there is
nothing left to do.
"""

from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

from services.runtime.records import Record
from services.runtime.stage import Effect, Groups
from services.runtime.states import Due, Place, Shard, States

S = TypeVar("S", bound=Due)


class Behind(Generic[S]):
    """Which of a worker's states are behind. Without groups: none ever."""

    def __init__(self, groups: Groups[S] | None, states: States[S]) -> None:
        self._groups, self._states = groups, states
        self._places: dict[Place, None] = {}  # in the order in which they fell behind

    def __bool__(self) -> bool:
        return bool(self._places)

    def heard(self, record: Record) -> None:
        """A broadcast record, which the stage has taken in."""
        if self._groups is None or (group := self._groups.concerns(record)) is None:
            return
        for number, shard in self._states.shards.items():
            for key in shard.members(group):
                self._note(number, key, shard.states[key])

    def restored(self, number: int, shard: Shard[S]) -> None:
        """The state of a shard is there, as its changelog has it."""
        if self._groups is not None:
            for key, state in shard.states.items():
                self._note(number, key, state)

    def gone(self, number: int) -> None:
        """The shard is another worker's."""
        self._places = {place: None for place in self._places if place[0] != number}

    def first(self, most: int) -> list[Place]:
        """At most so many, the longest behind first. They stay until they are `done`."""
        return [place for place, _ in zip(self._places, range(most), strict=False)]

    def done(self, places: Iterable[Place]) -> None:
        """They caught up, and that is committed."""
        for place in places:
            self._places.pop(place, None)

    def catch_up(self, place: Place, now: int) -> Iterator[Effect]:
        """What bringing one up to date comes to."""
        assert self._groups is not None
        yield from self._groups.catch_up(*place, self._states, now)

    def _note(self, number: int, key: bytes, state: S) -> None:
        assert self._groups is not None
        if self._groups.group_of(state) is not None and self._groups.behind(state):
            self._places[number, key] = None
