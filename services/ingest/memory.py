"""What Redis knows of the last minutes: which items were accepted, and how much of a quota is spent.

A revision belongs to the content that came first: who submits claims it, before Kafka has it, so that of two contents
at one instant one is refused. Redis may be lost at any time. Then a repeat is produced again, which readers drop, no
quota is held, and of two contents at one instant in different calls readers take the first; nothing else changes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec
import redis.asyncio as redis
from redis.exceptions import RedisError

from services.ingest.core import Submission, Verdict

QUOTA = """
local now = tonumber(redis.call('TIME')[1])
local window = math.floor(now / 60)
local key = KEYS[1] .. ':' .. window
local spent = tonumber(redis.call('GET', key) or '0')
local granted = math.min(tonumber(ARGV[1]), math.max(0, tonumber(ARGV[2]) - spent))
if granted > 0 then
  redis.call('INCRBY', key, granted)
  redis.call('EXPIRE', key, 120)
end
return {granted, 60 - now % 60}
"""
"""Grants as many of ARGV[1] items as the quota ARGV[2] of this minute has left; and says when the next one begins.

One key, named in KEYS[1], gets the minute behind it: in a cluster KEYS[1] carries a hash tag.
"""

CLAIM_SECONDS = 60  # longer than Kafka may take to acknowledge: from then on what was accepted is remembered
RETRY_SECONDS = 1.0  # how long a Redis that did not answer is left alone
UNREACHABLE = (RedisError, OSError, TimeoutError)


class Accepted(msgspec.Struct, frozen=True):
    """An item that Kafka has."""

    event_id: str
    fingerprint: str
    received_at: int  # ms since 1970
    revision: int
    withdrawn: bool
    verdict: Verdict | None = None  # what the caller was answered, where it asked for one


@dataclass(frozen=True)
class Admission:
    """How many of the items asked for the quota lets through, and what of them is known already.

    `claimed` has, for each, the fingerprint of the content that its revision is claimed for; None: nobody knows.
    """

    granted: int
    retry_after: int  # seconds until there is more
    known: Sequence[Accepted | None]
    claimed: Sequence[str | None]


class Memory:
    """One per process."""

    def __init__(
        self,
        client: "redis.Redis",
        seconds: int,
        monotonic: Callable[[], float],
        on_away: Callable[[], None],
    ) -> None:
        self._redis = client
        self._seconds = seconds
        self._monotonic = monotonic
        self._on_away = on_away
        self._away_until = float("-inf")

    async def admit(
        self, key_id: str, quota: int, asked: int, submissions: Sequence[Submission], claim: bool = True
    ) -> Admission:
        """Spend quota for `asked` items, look the submissions up, and claim their revisions for them, unless told not
        to; without Redis everything is let through.
        """
        nothing: list[None] = [None] * len(submissions)
        without = Admission(asked, 0, nothing, nothing)
        if self._is_away():
            return without
        try:
            pipeline = self._redis.pipeline(transaction=False)  # one trip for all of it
            pipeline.eval(QUOTA, 1, f"ingest:quota:{{{key_id}}}", str(asked), str(quota))
            for each in submissions:
                pipeline.hget(_name(each.key), _field(each.event.revision, each.event.withdrawn))
            for each in submissions if claim else ():
                pipeline.set(_claim(each), each.fingerprint, nx=True, ex=CLAIM_SECONDS)
                pipeline.get(_claim(each))
            (granted, wait), *raw = await pipeline.execute()
        except UNREACHABLE:
            self._left_alone()
            return without
        known = [_accepted(each) for each in raw[: len(submissions)]]
        claims = [
            each.decode() if isinstance(each, bytes) else each for each in raw[len(submissions) + 1 :: 2]
        ]
        return Admission(int(granted), int(wait), known, claims if claim else nothing)

    async def release(self, submissions: Sequence[Submission]) -> None:
        """Give up claims of what was not sent. One that is not given up ends by itself."""
        if self._is_away() or not submissions:
            return
        try:
            await self._redis.delete(*map(_claim, submissions))
        except UNREACHABLE:
            self._left_alone()

    async def remember(self, submissions: Sequence[Submission], now: int) -> None:
        """Kafka has these. Forgetting it is harmless."""
        if self._is_away() or not submissions:
            return
        pipeline = self._redis.pipeline(transaction=False)
        for each in submissions:
            event = each.event
            kept = Accepted(
                each.event_id, each.fingerprint, now, event.revision, event.withdrawn, each.verdict
            )
            pipeline.hset(_name(each.key), _field(event.revision, event.withdrawn), msgspec.json.encode(kept))
            pipeline.expire(_name(each.key), self._seconds)
        try:
            await pipeline.execute()
        except UNREACHABLE:
            self._left_alone()

    async def accepted(self, key: str) -> list[Accepted]:
        """What was accepted lately of an item, the lowest revision first; nothing without Redis."""
        if self._is_away():
            return []
        try:
            raw = await self._redis.hgetall(_name(key))
        except UNREACHABLE:
            self._left_alone()
            return []
        found = [each for each in map(_accepted, raw.values()) if each is not None]
        return sorted(found, key=lambda each: (each.revision, each.withdrawn))

    def _is_away(self) -> bool:
        away = self._monotonic() < self._away_until
        if away:
            self._on_away()
        return away

    def _left_alone(self) -> None:
        self._away_until = self._monotonic() + RETRY_SECONDS
        self._on_away()


def _name(key: str) -> str:
    return f"ingest:item:{key}"


def _claim(each: Submission) -> str:
    return f"ingest:claim:{each.key}:{_field(each.event.revision, each.event.withdrawn)}"


def _field(revision: int, withdrawn: bool) -> str:
    return f"{revision}{'w' if withdrawn else ''}"


def _accepted(raw: bytes | str | None) -> Accepted | None:
    return None if raw is None else msgspec.json.decode(raw, type=Accepted)
