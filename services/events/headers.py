"""Headers of a record: CloudEvents 1.0 in Kafka's binary mode, and W3C trace context."""

from collections.abc import Iterable
from functools import lru_cache

TRACEPARENT_LIMIT = 128  # bytes; version 00 has 55, later ones may have more
SPECVERSION = ("ce_specversion", b"1.0")
CONTENT = ("content-type", b"application/json; charset=utf-8")
TYPE_PREFIX = "sluicegate."


def headers_for(
    schema_name: str, event_id: str, source: str, occurred_at: str, traceparent: str | None = None
) -> list[tuple[str, bytes]]:
    """The headers of an event, in the form that Kafka clients take.

    `schema_name` as in `content_submitted.v1`, `source` the service or platform that wrote the event, `occurred_at`
    an instant; `traceparent` as the W3C defines it, passed on from what the event follows from.
    """
    by, kind = _same(schema_name, source)
    headers = [
        SPECVERSION,
        ("ce_id", event_id.encode()),
        by,
        kind,
        ("ce_time", occurred_at.encode()),
        CONTENT,
    ]
    if traceparent is not None:
        headers.append(("traceparent", traceparent.encode()))
    return headers


@lru_cache(1024)
def _same(schema_name: str, source: str) -> tuple[tuple[str, bytes], tuple[str, bytes]]:
    """The headers that all events of a kind have from one writer."""
    return ("ce_source", source.encode()), ("ce_type", f"{TYPE_PREFIX}{schema_name}".encode())


def traceparent_of(headers: Iterable[tuple[str, bytes | str | None]] | None) -> str | None:
    """The traceparent among the headers of a record, None where there is none or it is not short ASCII."""
    for name, value in headers or ():
        if name == "traceparent" and value is not None:
            if not value.isascii() or len(value) > TRACEPARENT_LIMIT:
                return None
            return value if isinstance(value, str) else value.decode("ascii")
    return None
