"""RFC 3339 instants, UTC, and milliseconds since 1970."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache

from services.events.errors import InvalidInstant

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAIVE_EPOCH = datetime(1970, 1, 1)


@lru_cache(4096)
def to_millis(instant: str) -> int:
    """Milliseconds since 1970 of an instant as events have it (`…Z`); finer digits are cut off.

    InvalidInstant where the calendar has no such day, or it is not in UTC.
    """
    try:
        since = datetime.fromisoformat(instant) - _EPOCH
    except (ValueError, TypeError) as error:
        raise InvalidInstant(f"{instant!r} is no instant in UTC: {error}") from error
    return since.days * 86_400_000 + since.seconds * 1000 + since.microseconds // 1000


@lru_cache(4096)  # many events of a batch have the same
def from_millis(millis: int) -> str:
    """The instant as events have it, as in 2026-01-31T12:00:00.000Z."""
    return (_NAIVE_EPOCH + timedelta(milliseconds=millis)).isoformat(timespec="milliseconds") + "Z"
