"""Counters in Redis: one script call a batch adds what came and answers what the batch's items need.

What a batch brings is added once, however often the batch is handled: the script keeps each partition's place. What
became of items is added with the next call, once it is committed. Without Redis counters are null and nothing is
counted; a Redis that did not answer is left alone for a while, so that the stream does not wait for it again and again.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import structlog
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from services.policy.counters import COUNTERS, MINUTE_MS, STORED, Counter
from services.router.core.counting import Happening, Tally, subjects

log = structlog.get_logger()
LUA = Path(__file__).parent / "lua" / "count.lua"
UNREACHABLE = (RedisError, OSError)
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 10.0  # s that a Redis that did not answer is left alone, doubled each time
FLUSH_SECONDS = 1.0  # what became of items waits so long for a batch to go with


class Placed(NamedTuple):
    """What came with a record: `place` names its partition, as in content.classified/3."""

    place: str
    offset: int
    happening: Happening


def connect(url: str, timeout_ms: int) -> Redis:
    """A client that waits no longer than `timeout_ms` and tries nothing again: a call might count twice."""
    seconds = timeout_ms / 1000
    retry = Retry(NoBackoff(), 0)
    return Redis.from_url(url, socket_timeout=seconds, socket_connect_timeout=seconds, retry=retry)


class Counters:
    """One per worker. `clock` in s."""

    def __init__(self, client: Redis, clock: Callable[[], float] = time.monotonic) -> None:
        self._script, self._clock = client.register_script(LUA.read_text("utf-8")), clock
        self._followed: tuple[Counter, ...] = ()
        self._pause, self._away_until = 0.0, float("-inf")
        self._base: dict[tuple[str, int], dict[str, int]] | None = (
            None  # before the batch; None: not to be had
        )
        self._batch = self._pending = Tally(())
        self._pending_since = 0.0
        self._noted: dict[str, Happening] = {}  # by the id of the event that says it, until the commit

    def follow(self, names: Sequence[str]) -> None:
        """Count these from now on."""
        followed = tuple(COUNTERS[name] for name in names)
        if followed != self._followed:
            self._followed, self._base, self._noted = followed, None, {}
            self._batch, self._pending = Tally(followed), Tally(followed)

    def begin(self, placed: Sequence[Placed]) -> None:
        """Count what the records of a batch bring, and fetch what `of` needs. In the order of each partition."""
        self._base, self._batch, self._noted = None, Tally(self._followed), {}
        if not self._followed:
            return
        pending, self._pending = self._pending, Tally(self._followed)
        if self._clock() < self._away_until:
            return
        try:
            self._base = self._exchange(placed, pending)
        except UNREACHABLE as error:
            self._pause = min(LONGEST_PAUSE, self._pause * 2 or FIRST_PAUSE)
            self._away_until = self._clock() + self._pause
            if self._pause == FIRST_PAUSE:
                log.warning("counters are null: Redis does not answer", error=str(error))
            return
        if self._pause:
            self._pause = 0.0
            log.info("counters are back")

    def arrive(self, happening: Happening) -> None:
        """A record of the batch is being handled: what comes after it sees it."""
        self._batch.add(happening)

    def of(self, happening: Happening) -> dict[str, int] | None:
        """What an item sees, itself included, by counter; without those of what it has not, as an author."""
        if self._base is None:
            return None
        found: dict[str, int] = {}
        for counter in self._followed:
            subject = happening.subject(counter.subject)
            if subject is not None:
                bucket = counter.window.bucket(happening.at)
                counts = self._base.get((counter.name, bucket))
                before = counts.get(subject, 0) if counts else 0
                found[counter.name] = before + self._batch.within(counter, bucket, subject)
        return found

    def note(self, event_id: str, happening: Happening) -> None:
        """What an event says counts once it is committed, and for the rest of the batch."""
        if self._followed:
            self._noted[event_id] = happening
            self._batch.add(happening)

    def committed(self, event_ids: Iterable[str]) -> None:
        """These events are committed."""
        if not self._noted:
            return
        if not self._pending:
            self._pending_since = self._clock()
        for event_id in event_ids:
            if (happening := self._noted.pop(event_id, None)) is not None:
                self._pending.add(happening)
        self._noted = {}

    def flush(self) -> None:
        """Add what waits for a batch that does not come."""
        if self._pending and self._clock() > self._pending_since + FLUSH_SECONDS:
            self.begin(())

    def _exchange(self, placed: Sequence[Placed], pending: Tally) -> dict[tuple[str, int], dict[str, int]]:
        own = Tally(self._followed)
        own.add_all(each.happening for each in placed)
        reads = self._asked(placed)
        places, sums = self._call(_grouped(placed), pending, reads)
        partly = {place: seen for place, seen in places.items() if seen >= 0}
        if rest := [each for each in placed if each.offset > partly.get(each.place, each.offset)]:
            _, sums = self._call(_grouped(rest), Tally(()), reads)  # an aborted batch had their beginning
        return {
            (counter.name, bucket): {
                name: max(0, total - own.within(counter, bucket, name))
                for name, total in zip(names, found, strict=True)
                if total
            }
            for (counter, bucket, names), found in zip(reads, sums, strict=True)
        }

    def _asked(self, placed: Sequence[Placed]) -> list[tuple[Counter, int, list[str]]]:
        """Counter, bucket, and whose counts the items of a batch need."""
        items: dict[int, list[Happening]] = {}  # by minute, of which every bucket is made
        for each in placed:
            if each.happening.what == "items":
                items.setdefault(each.happening.at // MINUTE_MS, []).append(each.happening)
        found: dict[tuple[Counter, int], set[str]] = {}
        for minute, came in items.items():
            named = {kind: subjects(came, kind) for kind in {counter.subject for counter in self._followed}}
            for counter in self._followed:
                bucket = counter.window.bucket(minute * MINUTE_MS)
                found.setdefault((counter, bucket), set()).update(named[counter.subject])
        return [(counter, bucket, list(names)) for (counter, bucket), names in found.items() if names]

    def _call(
        self,
        groups: Mapping[str, Sequence[Placed]],
        pending: Tally,
        reads: Sequence[tuple[Counter, int, list[str]]],
    ) -> tuple[dict[str, int], list[list[int]]]:
        job = {
            "groups": [self._group(place, group) for place, group in groups.items()],
            "adds": pending.adds(),
            "reads": [
                (counter.name, bucket, counter.window.buckets, names) for counter, bucket, names in reads
            ],
        }
        answer: Any = self._script(keys=[STORED], args=[msgspec.msgpack.encode(job)])
        places, sums = msgspec.msgpack.decode(answer)
        return dict(zip(groups, places, strict=True)), sums or []

    def _group(self, place: str, group: Sequence[Placed]) -> tuple[Any, ...]:
        tally, first, last = Tally(self._followed), group[0], group[-1]
        tally.add_all(each.happening for each in group)
        return place, first.offset, first.happening.at, last.offset, tally.adds(), last.happening.at


def _grouped(placed: Sequence[Placed]) -> dict[str, list[Placed]]:
    groups: dict[str, list[Placed]] = {}
    for each in placed:
        groups.setdefault(each.place, []).append(each)
    return groups
