"""Counters as rules in line see them: read from Redis, where the router counts (services.policy.counters)."""

from collections.abc import Callable, Sequence

import redis.asyncio as redis

from services.events.types import ContentSubmitted
from services.ingest.memory import UNREACHABLE
from services.policy.counters import COUNTERS, STORED, Counter
from services.scoring.text_hash import text_hash


class InlineCounters:
    """One per process. It only reads: an item counts when the loop has it, so here it is added to what is read."""

    def __init__(self, client: "redis.Redis", on_away: Callable[[], None]) -> None:
        self._redis, self._on_away = client, on_away

    async def of(self, event: ContentSubmitted, names: Sequence[str], now: int) -> dict[str, int] | None:
        """What an item sees at `now` (ms), itself included; without those of what it has not, as an author.

        None where Redis does not answer: rules that need one do not hold then.
        """
        wanted = [
            (each, who) for name in names if (who := subject(each := COUNTERS[name], event)) is not None
        ]
        pipeline = self._redis.pipeline(transaction=False)
        for counter, who in wanted:
            last = counter.window.bucket(now)
            for bucket in range(last - counter.window.buckets, last + 1):
                pipeline.hget(f"{STORED}{counter.name}:{bucket}", who)
        try:
            found = iter(await pipeline.execute() if wanted else [])
        except UNREACHABLE:
            self._on_away()
            return None
        return {
            counter.name: sum(int(next(found) or 0) for _ in range(counter.window.buckets + 1))
            + (counter.what == "items")
            for counter, _ in wanted
        }


def subject(counter: Counter, event: ContentSubmitted) -> str | None:
    """Whose counter it is for this item, as the router names it; None: there is nobody."""
    item = event.item
    if counter.subject == "source":
        return event.source
    if item is None:
        return None
    if counter.subject == "author":
        return f"{event.source}/{item.author.id}" if item.author else None
    return text_hash(event.source, item.kind, item.text, item.media)
