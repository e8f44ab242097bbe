"""Keyed state of the shards that a worker owns: in memory, staged in a batch, kept on a changelog topic.

A state says when it wants to be woken (`due`, in ms, or None). What a batch changes is staged, becomes visible
to the rest of the batch at once, and is applied after the commit or dropped at an abort.
"""

import heapq
from collections.abc import Iterator
from typing import Generic, Protocol, TypeVar


class Due(Protocol):
    """What the runtime needs to know of a state."""

    @property
    def due(self) -> int | None:
        """When to wake it, in ms since 1970; None: never."""


S = TypeVar("S", bound=Due)


class Shard(Generic[S]):
    """State of one shard: key to state, and a heap of due times whose stale entries are skipped."""

    def __init__(self) -> None:
        self.states: dict[bytes, S] = {}
        self._timers: list[tuple[int, bytes]] = []

    def apply(self, key: bytes, state: S | None) -> None:
        """Make `state` the committed state of `key`; None forgets the key."""
        if state is None:
            self.states.pop(key, None)
            return
        self.states[key] = state
        if state.due is not None:
            heapq.heappush(self._timers, (state.due, key))

    def next_due(self) -> int | None:
        """The earliest due time, in ms."""
        while self._timers:
            due, key = self._timers[0]
            state = self.states.get(key)
            if state is not None and state.due == due:
                return due
            heapq.heappop(self._timers)
        return None

    def due_keys(self, until: int) -> list[bytes]:
        """Keys whose committed state is due at `until` (ms) or before, the earliest first.

        Takes none away: they stay due until a state with another due time is applied, so an abort loses no timer.
        """
        found: dict[bytes, int] = {}
        while self._timers and self._timers[0][0] <= until:
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
        self._staged: dict[tuple[int, bytes], S | None] = {}

    def get(self, shard: int, key: bytes) -> S | None:
        """The state of a key as the batch has left it so far; None where there is none."""
        if (shard, key) in self._staged:
            return self._staged[shard, key]
        return self.shards[shard].states.get(key)

    def put(self, shard: int, key: bytes, state: S | None) -> None:
        """Stage a state; None deletes it. What changes nothing is not staged, so it costs no record."""
        if self.get(shard, key) != state:
            self._staged[shard, key] = state

    def mark(self) -> dict[tuple[int, bytes], S | None]:
        """The staged changes so far, to `roll_back` to."""
        return dict(self._staged)

    def roll_back(self, mark: dict[tuple[int, bytes], S | None]) -> None:
        """Forget what was staged since `mark`."""
        self._staged = mark

    def staged(self) -> Iterator[tuple[int, bytes, S | None]]:
        """(shard, key, state) of every change of the batch."""
        for (shard, key), state in self._staged.items():
            yield shard, key, state

    def apply(self) -> None:
        """The batch is committed."""
        for shard, key, state in self.staged():
            self.shards[shard].apply(key, state)
        self._staged = {}

    def drop(self) -> None:
        """The batch is aborted."""
        self._staged = {}

    def open_keys(self) -> int:
        """How many keys are held."""
        return sum(len(shard.states) for shard in self.shards.values())
