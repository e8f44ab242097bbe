"""Caps of the policy on automatic actions a minute, for verdicts in line: counted over all ingest processes."""

from collections.abc import Callable

import redis.asyncio as redis

from services.ingest.memory import UNREACHABLE

TAKE = """
local window = math.floor(tonumber(redis.call('TIME')[1]) / 60)
local key = KEYS[1] .. ':' .. window
if tonumber(redis.call('GET', key) or '0') >= tonumber(ARGV[1]) then return 0 end
redis.call('INCR', key)
redis.call('EXPIRE', key, 120)
return 1
"""
"""1 and counted where the action named in KEYS[1] was taken fewer than ARGV[1] times this minute, else 0."""


class InlineCaps:
    """One per process. Without Redis an action that has a cap is not taken in line: people are asked."""

    def __init__(self, client: "redis.Redis", on_away: Callable[[], None]) -> None:
        self._take = client.register_script(TAKE)
        self._on_away = on_away

    async def take(self, action: str, cap: int) -> bool:
        """Whether the action may be taken once more; then it is counted."""
        try:
            return bool(await self._take(keys=[f"ingest:cap:{{{action}}}"], args=[cap]))
        except UNREACHABLE:
            self._on_away()
            return False
