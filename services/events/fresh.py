"""Ids of events that are derived from nothing. The one file of this package that is not pure."""

import uuid_utils


def fresh_id(now_ms: int | None = None) -> str:
    """A UUIDv7 as 32 hex digits, ordered by time: `now_ms` milliseconds since 1970, or the clock's."""
    return uuid_utils.uuid7(nanoseconds=None if now_ms is None else now_ms * 1_000_000).hex
