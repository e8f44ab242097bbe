"""Headers of a record: CloudEvents 1.0 in Kafka's binary mode, and W3C trace context."""

from collections.abc import Iterable

TRACEPARENT_LIMIT = 128  # bytes; version 00 has 55, later ones may have more
CONTENT_TYPE = b"application/json; charset=utf-8"
TYPE_PREFIX = "sluicegate."


def headers_for(
    schema_name: str, event_id: str, source: str, occurred_at: str, traceparent: str | None = None
) -> list[tuple[str, bytes]]:
    """The headers of an event, in the form that Kafka clients take.

    `schema_name` as in `content_submitted.v1`, `source` the service or platform that wrote the event, `occurred_at`
    an instant; `traceparent` as the W3C defines it, passed on from what the event follows from.
    """
    headers = [
        ("ce_specversion", b"1.0"),
        ("ce_id", event_id.encode()),
        ("ce_source", source.encode()),
        ("ce_type", f"{TYPE_PREFIX}{schema_name}".encode()),
        ("ce_time", occurred_at.encode()),
        ("content-type", CONTENT_TYPE),
    ]
    if traceparent is not None:
        headers.append(("traceparent", traceparent.encode()))
    return headers


def traceparent_of(headers: Iterable[tuple[str, bytes | str | None]] | None) -> str | None:
    """The traceparent among the headers of a record, None where there is none or it is not short ASCII."""
    for name, value in headers or ():
        if name == "traceparent" and value is not None:
            if not value.isascii() or len(value) > TRACEPARENT_LIMIT:
                return None
            return value if isinstance(value, str) else value.decode("ascii")
    return None
