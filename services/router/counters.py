"""Counters in Redis: one script call a batch adds what came and answers what the batch's items need.

What a batch brings is added once, however often the batch is handled: the script keeps each partition's place. What
became of items is added with the next call, once it is committed. Without Redis counters are null and nothing is
counted; a Redis that did not answer is left alone for a while, so that the stream does not wait for it again and again.
"""

import time
from collections import Counter as Counts
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import msgspec
import structlog
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from services.policy.counters import COUNTERS, MINUTE_MS, STORED, Counter
from services.router.core.counting import PLACES, Alike, Happening, Tally, alike

log = structlog.get_logger()
LUA = Path(__file__).parent / "lua" / "count.lua"
UNREACHABLE = (RedisError, OSError)
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 10.0  # s that a Redis that did not answer is left alone, doubled each time
FLUSH_SECONDS = 1.0  # what became of items waits so long for a batch to go with


_Count: TypeAlias = Callable[[str, int], int]
"""Of a subject; the second is what it is where nothing was counted."""


class Placed(msgspec.Struct, frozen=True, gc=False):
    """What came with a record: `place` names its partition, as in content.classified/3."""

    place: str
    offset: int
    happening: Happening


class _Group(NamedTuple):
    """What came of one partition, in its order, and what it counts."""

    first: Placed
    last: Placed
    same: list[Alike]
    tally: Tally


class _Asked(NamedTuple):
    """Whose counts are asked for, and of what: counter, bucket, and which of the lists. Counters share lists: names are
    most of what is sent.
    """

    lists: list[list[str]]
    reads: list[tuple[Counter, int, int]]


class _Sees(NamedTuple):
    """How a counter's number is had: from what there was of a subject before the batch (`before`), and from what came
    within it so far: counts that an item adds itself to (None: it does not count there), and others.
    """

    name: str
    place: int  # of the subject, in PLACES
    before: _Count
    own: Counts[str] | None
    others: Sequence[_Count]


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
        # `_sees` is of this minute (None: of none), as long as the batch has so many buckets.
        self._minute: int | None = None
        self._buckets, self._sees = 0, list[_Sees]()
        self._pending_since = 0.0
        self._noted: dict[str, Happening] = {}  # by the id of the event that says it, until the commit

    def follow(self, names: Sequence[str]) -> None:
        """Count these from now on."""
        followed = tuple(COUNTERS[name] for name in names)
        if followed != self._followed:
            self._followed, self._base, self._noted = followed, None, {}
            self._batch, self._pending = Tally(followed), Tally(followed)

    def begin(self, placed: Sequence[Placed]) -> None:
        """Count what the records of a batch bring, and fetch what `of` needs. In the order of each partition.

        What was noted before stays: a transaction may hold several batches, where one record made the stage raise.
        """
        self._base, self._batch, self._minute = None, Tally(self._followed), None
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

    def arrive(self, happening: Happening) -> dict[str, int] | None:
        """A record of the batch is being handled: what comes after it sees it. Returns what an item sees, itself
        included, by counter, without those of what it has not, as an author; None where that is not to be had.
        """
        if self._base is None:
            return None
        if happening.what != "items":
            self._batch.add(happening)
            return None
        minute = happening.at // MINUTE_MS
        if minute != self._minute or self._batch.buckets != self._buckets:  # a few times in a batch
            self._minute, self._sees = minute, self._seen(minute)
            self._buckets = self._batch.buckets
        found: dict[str, int] = {}
        whose = happening.whose
        for name, place, before, own, others in self._sees:
            if (subject := whose[place]) is not None:
                count = before(subject, 0)
                if own is not None:
                    own[subject] = within = own.get(subject, 0) + 1
                    count += within
                for each in others:
                    count += each(subject, 0)
                found[name] = count
        return found

    def _seen(self, minute: int) -> list[_Sees]:
        """How the counters of an item of this minute are had."""
        found = []
        for counter in self._followed:
            bucket = counter.window.bucket(minute * MINUTE_MS)
            before = (self._base or {}).get((counter.name, bucket), {}).get
            own = self._batch.last(counter, bucket) if counter.what == "items" else None
            others = [counts.get for counts in self._batch.counts(counter, bucket) if counts is not own]
            found.append(_Sees(counter.name, PLACES[counter.subject], before, own, others))
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
        groups = self._grouped(placed)
        asked = self._asked(groups.values())
        places, sums = self._call(groups, pending, asked)
        partly = {place: seen for place, seen in places.items() if seen >= 0}
        if rest := [each for each in placed if each.offset > partly.get(each.place, each.offset)]:
            # An aborted batch had their beginning.
            _, sums = self._call(self._grouped(rest), Tally(()), asked)
        return {
            (counter.name, bucket): _less(
                asked.lists[number],
                found,
                [own for group in groups.values() for own in group.tally.counts(counter, bucket)],
            )
            for (counter, bucket, number), found in zip(asked.reads, sums, strict=True)
        }

    def _grouped(self, placed: Sequence[Placed]) -> dict[str, _Group]:
        by_place: dict[str, list[Placed]] = {}
        for each in placed:
            by_place.setdefault(each.place, []).append(each)
        found = {}
        for place, came in by_place.items():
            same, tally = alike([each.happening for each in came]), Tally(self._followed)
            tally.add_all(same)
            found[place] = _Group(came[0], came[-1], same, tally)
        return found

    def _asked(self, groups: Iterable[_Group]) -> _Asked:
        """What the items of a batch need."""
        among: dict[tuple[Counter, int], list[Alike]] = {}
        for group in groups:
            for same in group.same:
                for counter in self._followed if same.what == "items" else ():
                    among.setdefault((counter, same.bucket(counter.window.bucket_ms)), []).append(same)
        asked, numbers = _Asked([], []), dict[tuple[Any, ...], int]()
        for (counter, bucket), alikes in among.items():
            of = counter.subject, *map(id, alikes)
            if (number := numbers.get(of)) is None:
                number = numbers[of] = len(asked.lists)
                asked.lists.append(list({name for same in alikes for name in same.subjects(counter.subject)}))
            asked.reads.append((counter, bucket, number))
        return asked

    def _call(
        self, groups: Mapping[str, _Group], pending: Tally, asked: _Asked
    ) -> tuple[dict[str, int], list[list[int]]]:
        job = {
            "groups": [self._group(place, group) for place, group in groups.items()],
            "adds": pending.adds(),
            "lists": asked.lists,
            "reads": [
                (counter.name, bucket, counter.window.buckets, number)
                for counter, bucket, number in asked.reads
            ],
        }
        answer: Any = self._script(keys=[STORED], args=[msgspec.msgpack.encode(job)])
        places, sums = msgspec.msgpack.decode(answer)
        return dict(zip(groups, places, strict=True)), sums or []

    def _group(self, place: str, group: _Group) -> tuple[Any, ...]:
        first, last = group.first, group.last
        return place, first.offset, first.happening.at, last.offset, group.tally.adds(), last.happening.at


def _less(names: Sequence[str], totals: Sequence[int], own: Sequence[Mapping[str, int]]) -> dict[str, int]:
    """How many there were before a batch, of which `own` are; without those who had none. No totals: nobody had any."""
    if not totals:
        return {}
    if not own:
        return {name: total for name, total in zip(names, totals, strict=True) if total}
    get, others = own[0].get, own[1:]
    found = {
        name: left for name, total in zip(names, totals, strict=True) if (left := total - get(name, 0)) > 0
    }
    for counts in others:
        get = counts.get
        found = {name: left for name, total in found.items() if (left := total - get(name, 0)) > 0}
    return found
