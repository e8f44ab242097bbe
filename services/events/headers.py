"""Headers of a record: CloudEvents 1.0 in Kafka's binary mode, and W3C trace context."""

from collections.abc import Iterable
from functools import lru_cache
from typing import TypeAlias

Header: TypeAlias = tuple[str, bytes]
Headers: TypeAlias = tuple[Header, ...]
TRACEPARENT_LIMIT = 128  # bytes; version 00 has 55, later ones may have more
SPECVERSION = ("ce_specversion", b"1.0")
CONTENT = ("content-type", b"application/json; charset=utf-8")
TYPE_PREFIX = "sluicegate."


class EventHeaders:
    """The headers of all events of one schema from one writer, with what they have in common made once.

    `schema_name` as in `content_submitted.v1`, `source` the service or platform that writes them. Without `cloudevents`
    they are the trace context alone.
    """

    def __init__(self, schema_name: str, source: str, cloudevents: bool = True) -> None:
        self._cloudevents = cloudevents
        self._by = ("ce_source", source.encode())
        self._kind = ("ce_type", f"{TYPE_PREFIX}{schema_name}".encode())

    def of(self, event_id: str, occurred_at: str, traceparent: str | None = None) -> Headers:
        """The headers of an event; `occurred_at` is an instant.

        `traceparent` as the W3C defines it, passed on from what the event follows from.
        """
        trace = () if traceparent is None else (("traceparent", traceparent.encode()),)
        if not self._cloudevents:
            return trace
        ce_id, time = ("ce_id", event_id.encode()), _time(occurred_at)
        return SPECVERSION, ce_id, self._by, self._kind, time, CONTENT, *trace


@lru_cache(1024)
def _time(occurred_at: str) -> Header:
    """Many events of a batch have the same."""
    return "ce_time", occurred_at.encode()


def traceparent_of(headers: Iterable[tuple[str, bytes | str | None]] | None) -> str | None:
    """The traceparent among the headers of a record, None where there is none or it is not short ASCII."""
    for name, value in headers or ():
        if name == "traceparent" and value is not None:
            if not value.isascii() or len(value) > TRACEPARENT_LIMIT:
                return None
            return value if isinstance(value, str) else value.decode("ascii")
    return None
