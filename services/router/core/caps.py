"""Caps on automatic actions per minute, divided among shards.

Minutes are those of append times, so that a batch handled again comes to the same. In each the shares of all shards add
up to the cap exactly; what a division leaves over goes to other shards every minute. A shard's count is kept on the
changelog and commits with the decisions it counts.
"""

from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

from services.events.types import ContentDecided
from services.router.core.shard import MINUTE_MS, ShardState, share

Action = Literal["allow", "limit", "remove"]


def at(state: ShardState | None, timestamp: int) -> ShardState:
    """The state at `timestamp` (ms): a new minute begins at 0, a record older than the last counts in its minute."""
    minute = timestamp // MINUTE_MS
    if state is None:
        return ShardState(minute=minute)
    return msgspec.structs.replace(state, minute=minute, taken={}) if minute > state.minute else state


def over(state: ShardState, caps: Mapping[Action, int], shard: int, shards: int) -> frozenset[str]:
    """Actions of which the shard has had its share this minute."""
    return frozenset(
        action
        for action, cap in caps.items()
        if state.taken.get(action, 0) >= share(cap, shard, shards, state.minute)
    )


def counted(state: ShardState, events: Iterable[msgspec.Struct]) -> ShardState:
    """The state after these outcomes: what machines decided counts, whatever it rests on, people's word too."""
    taken = dict(state.taken)
    for event in events:
        if (
            isinstance(event, ContentDecided)
            and event.final
            and (event.decision_seq == 0 or event.basis == "duplicate")
        ):
            taken[event.action] = taken.get(event.action, 0) + 1
    return state if taken == state.taken else msgspec.structs.replace(state, taken=taken)
