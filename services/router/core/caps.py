"""Caps on automatic actions per minute, divided among shards.

Minutes are those of append times, so that a batch handled again comes to the same. In each the shares of all shards add
up to the cap exactly; what a division leaves over goes to other shards every minute. A shard's count is kept on the
changelog and commits with the decisions it counts.
"""

from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

from services.events.types import ContentDecided

Action = Literal["allow", "limit", "remove"]
KEY = b"#shard"  # no item's key: those have a slash
MINUTE_MS = 60_000


class ShardState(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="shard"):
    """What the router keeps of a shard as a whole: automatic decisions of the minute in hand, by action."""

    minute: int = 0  # since 1970
    taken: dict[str, int] = {}

    @property
    def due(self) -> None:
        """It never wakes."""
        return None


def at(state: ShardState | None, timestamp: int) -> ShardState:
    """The state at `timestamp` (ms): a new minute begins at 0, a record older than the last counts in its minute."""
    minute = timestamp // MINUTE_MS
    return ShardState(minute=minute) if state is None or minute > state.minute else state


def share(cap: int, shard: int, shards: int, minute: int) -> int:
    """How many of `cap` actions are this shard's in a minute."""
    return cap // shards + ((shard + minute) % shards < cap % shards)


def over(state: ShardState, caps: Mapping[Action, int], shard: int, shards: int) -> frozenset[str]:
    """Actions of which the shard has had its share this minute."""
    return frozenset(
        action
        for action, cap in caps.items()
        if state.taken.get(action, 0) >= share(cap, shard, shards, state.minute)
    )


def counted(state: ShardState, events: Iterable[msgspec.Struct]) -> ShardState:
    """The state after these outcomes: what machines decided, whatever it rests on, counts."""
    taken = dict(state.taken)
    for event in events:
        if isinstance(event, ContentDecided) and event.final and event.decision_seq == 0:
            taken[event.action] = taken.get(event.action, 0) + 1
    return state if taken == state.taken else msgspec.structs.replace(state, taken=taken)
