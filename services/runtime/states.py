"""Keyed state of the shards that a worker owns: in memory, staged in a batch, kept on a changelog topic.

A state says when it wants to be woken (`due`, in ms, or None). What a batch changes is staged, becomes visible
to the rest of the batch at once, and is applied after the commit or dropped at an abort. Where states are grouped
(services.runtime.groups), a shard can tell the keys of a group: derived from the states, never kept elsewhere.
"""

import heapq
from collections.abc import Callable, Iterator
from typing import Generic, Protocol, TypeAlias, TypeVar


class Due(Protocol):
    """What the runtime needs to know of a state."""

    @property
    def due(self) -> int | None:
        """When to wake it, in ms since 1970; None: never."""


S = TypeVar("S", bound=Due)
Place: TypeAlias = tuple[int, bytes]  # shard, key


class Shard(Generic[S]):
    """State of one shard: key to state, a heap of due times whose stale entries are skipped, and keys by group."""

    def __init__(self, group_of: Callable[[S], str | None] | None = None) -> None:
        self.states: dict[bytes, S] = {}
        self._timers: list[tuple[int, bytes]] = []
        self._group_of = group_of
        self._groups: dict[str, dict[bytes, None]] = {}  # in order of arrival

    def apply(self, key: bytes, state: S | None) -> None:
        """Make `state` the committed state of `key`; None forgets the key."""
        before = self.states.get(key)
        if self._group_of is not None:
            self._regroup(key, None if before is None else self._group_of(before), state)
        if state is None:
            self.states.pop(key, None)
        else:
            self.states[key] = state
            if state.due is not None and (before is None or before.due != state.due):
                heapq.heappush(self._timers, (state.due, key))
        if len(self._timers) > 2 * len(self.states) + 64:  # what was closed early would stay until it is due
            self._timers = [(held.due, k) for k, held in self.states.items() if held.due is not None]
            heapq.heapify(self._timers)

    def _regroup(self, key: bytes, before: str | None, state: S | None) -> None:
        assert self._group_of is not None
        after = None if state is None else self._group_of(state)
        if before == after:
            return
        if before is not None:
            members = self._groups[before]
            del members[key]
            if not members:
                del self._groups[before]
        if after is not None:
            self._groups.setdefault(after, {})[key] = None

    def members(self, group: str) -> list[bytes]:
        """The keys whose committed state is of a group."""
        return list(self._groups.get(group, ()))

    def next_due(self) -> int | None:
        """The earliest due time, in ms."""
        while self._timers:
            due, key = self._timers[0]
            state = self.states.get(key)
            if state is not None and state.due == due:
                return due
            heapq.heappop(self._timers)
        return None

    def due_keys(self, until: int, most: int) -> list[bytes]:
        """At most `most` keys whose committed state is due at `until` (ms) or before, the earliest first.

        Takes none away: they stay due until a state with another due time is applied, so an abort loses no timer.
        """
        found: dict[bytes, int] = {}
        while self._timers and self._timers[0][0] <= until and len(found) < most:
            due, key = heapq.heappop(self._timers)
            if key in self.states and self.states[key].due == due:
                found[key] = due
        for key, due in found.items():
            heapq.heappush(self._timers, (due, key))
        return list(found)


class States(Generic[S]):
    """All shards of a worker, with the changes of the batch in hand."""

    def __init__(self) -> None:
        self.shards: dict[int, Shard[S]] = {}
        self._staged: dict[Place, S | None] = {}
        self._journal: list[
            tuple[Place, tuple[S | None] | None]
        ] = []  # what was staged before; None: nothing

    def get(self, shard: int, key: bytes) -> S | None:
        """The state of a key as the batch has left it so far; None where there is none."""
        place = shard, key
        return self._staged[place] if place in self._staged else self.shards[shard].states.get(key)

    def put(self, shard: int, key: bytes, state: S | None) -> None:
        """Stage a state; None deletes it. What changes nothing is not staged, so it costs no record."""
        before = self.get(shard, key)
        if before is not state and before != state:
            place = shard, key
            self._journal.append((place, (self._staged[place],) if place in self._staged else None))
            self._staged[place] = state

    def mark(self) -> int:
        """A point to `roll_back` to."""
        return len(self._journal)

    def roll_back(self, mark: int) -> None:
        """Forget what was staged since `mark`."""
        while len(self._journal) > mark:
            place, before = self._journal.pop()
            if before is None:
                del self._staged[place]
            else:
                self._staged[place] = before[0]

    def staged(self, since: int = 0) -> Iterator[tuple[int, bytes, S | None]]:
        """(shard, key, state) of every change of the batch since a mark, as it stands now."""
        for shard, key in dict.fromkeys(place for place, _ in self._journal[since:]):
            yield shard, key, self._staged[shard, key]

    def apply(self) -> None:
        """The batch is committed."""
        for shard, key, state in self.staged():
            self.shards[shard].apply(key, state)
        self.drop()

    def drop(self) -> None:
        """The batch is aborted."""
        self._staged, self._journal = {}, []

    def open_keys(self) -> int:
        """How many keys are held."""
        return sum(len(shard.states) for shard in self.shards.values())
