"""What the router keeps of a shard as a whole, under a key of its own on the changelog."""

import msgspec

from services.policy.facts import Budget

KEY = b"#shard"  # no item's key: those have a slash
MINUTE_MS = 60_000


class Spending(msgspec.Struct, frozen=True, kw_only=True):
    """What a shard spent, and what came; `limit` and `budget` hold for `minute` (since 1970)."""

    minute: int
    limit: int  # of questions this minute
    budget: Budget | None = None  # None: there is time for all
    spent: int = 0  # this hour
    taken: int = 0  # this minute
    came: dict[int, int] = {}  # this minute, by bin of value
    before: dict[int, float] = {}  # in minutes before, the longer ago the less they count
    weight: float = 0.0  # how many minutes `before` stands for


class ShardState(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="shard"):
    """What the router keeps of a shard as a whole: automatic decisions of the minute in hand, by action,
    and what people's time was spent on.
    """

    minute: int = 0  # since 1970
    taken: dict[str, int] = {}
    spending: Spending | None = None

    @property
    def due(self) -> None:
        """It never wakes."""
        return None


def share(whole: int, shard: int, shards: int, period: int) -> int:
    """How much of `whole` is this shard's in a period; the shares of all shards add up to it."""
    return whole // shards + ((shard + period) % shards < whole % shards)
