"""Events as records: which topic an event belongs to, its bytes and its headers."""

from collections.abc import Iterable

import msgspec

from services.events.codec import encode, encode_derived, schema_name
from services.events.headers import headers_for, traceparent_of
from services.events.topics import Topics, topic_for
from services.runtime.records import Outgoing, Record

CHECKED = 64  # the first and then one in so many derived events is read again


class Publisher:
    """Turns a service's events into records, as topics.yaml says. `service` becomes CloudEvents' source.

    Events of the types in `derived` are made of validated parts only: one in CHECKED is read again before it is
    written, all others always (docs/decisions/0041-derived-events-are-written-unread.md).
    """

    def __init__(self, service: str, topics: Topics, derived: Iterable[type[msgspec.Struct]] = ()) -> None:
        self._service = service
        self._derived = frozenset(derived)
        self._written = 0  # of derived types
        self._topics = {topic.event: topic for topic in topics.topics.values() if topic.event}

    def outgoing(
        self,
        event: msgspec.Struct,
        key: str | bytes,
        cause: Record | None = None,
        accepted: int | None = None,
    ) -> Outgoing:
        """The record of an event. `cause` is the record that it follows from: its trace goes on.

        `accepted` is when its item was accepted, in ms. Raises InvalidEvent or TooLarge (see services.events.errors).
        """
        name = schema_name(type(event))
        topic = self._topics[name]
        suffix = getattr(event, topic.per) if topic.per else None
        headers = headers_for(
            name,
            getattr(event, "event_id", None) or "",
            self._service,
            getattr(event, "occurred_at", None) or "",
            traceparent_of(cause.headers) if cause and cause.headers else None,
        )
        where = topic_for(topic.name, suffix) if suffix else topic.name
        return Outgoing(
            where,
            topic.name,
            key if isinstance(key, bytes) else key.encode(),
            self._encoded(event),
            tuple(headers),
            accepted,
            event,
        )

    def _encoded(self, event: msgspec.Struct) -> bytes:
        if type(event) not in self._derived:
            return encode(event)
        self._written += 1
        return encode(event) if self._written % CHECKED == 1 else encode_derived(event)

    def tombstone(self, base: str, key: bytes) -> Outgoing:
        """A record that deletes what a compacted topic keeps under a key."""
        return Outgoing(base, base, key, None)
