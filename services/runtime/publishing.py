"""Events as records: which topic an event belongs to, its bytes and its headers."""

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from services.events.codec import DerivedEncoder, encode, schema_name
from services.events.headers import EventHeaders, traceparent_of
from services.events.topics import Topics, topic_for
from services.runtime.records import Outgoing, Record

CHECKED = 64  # the first and then one in so many derived events is read again


class _Kind(NamedTuple):
    """What all events of a type have in common."""

    topic: str
    per: str | None  # the field that names the topic of an event, where each source or queue has its own
    headers: EventHeaders
    cloudevents: bool  # else there are no headers but the trace's
    has_id: bool
    has_time: bool
    derived: bool


class Publisher:
    """Turns a service's events into records, as topics.yaml says. `service` becomes CloudEvents' source.

    Events of the types in `derived` are made of validated parts only: one in CHECKED is read again before it is
    written, all others always (docs/decisions/0041-derived-events-are-written-unread.md). With such, a publisher is for
    one thread.
    """

    def __init__(self, service: str, topics: Topics, derived: Iterable[type[msgspec.Struct]] = ()) -> None:
        self._service = service
        self._derived = frozenset(derived)
        self._encode, self._written = DerivedEncoder().encode, 0  # of derived types
        self._topics = {topic.event: topic for topic in topics.topics.values() if topic.event}
        self._kinds: dict[type[msgspec.Struct], _Kind] = {}

    def outgoing(
        self,
        event: msgspec.Struct,
        key: str | bytes,
        cause: Record | None = None,
        accepted: int | None = None,
        counted: msgspec.Struct | None = None,
    ) -> Outgoing:
        """The record of an event. `cause` is the record that it follows from: its trace goes on.

        `accepted` is when its item was accepted, in ms; `counted` what the stage gets for it after the commit, in
        place of the event, which is then not kept until there. Raises InvalidEvent or TooLarge (see
        services.events.errors).
        """
        topic, per, headers, cloudevents, has_id, has_time, derived = self._kinds.get(
            type(event)
        ) or self._kind(type(event))
        if derived:
            self._written += 1
            value = encode(event) if self._written % CHECKED == 1 else self._encode(event)
        else:
            value = encode(event)
        trace = traceparent_of(cause.headers) if cause is not None and cause.headers else None
        return Outgoing(
            topic_for(topic, suffix) if per is not None and (suffix := getattr(event, per)) else topic,
            topic,
            key if type(key) is bytes else key.encode(),  # type: ignore[union-attr]
            value,
            headers.of(
                (event.event_id or "") if has_id else "",  # type: ignore[attr-defined]
                (event.occurred_at or "") if has_time else "",  # type: ignore[attr-defined]
                trace,
            )
            if cloudevents or trace is not None
            else (),
            accepted,
            event if counted is None else counted,
        )

    def _kind(self, of: type[msgspec.Struct]) -> _Kind:
        name, fields = schema_name(of), of.__struct_fields__
        topic = self._topics[name]
        kind = self._kinds[of] = _Kind(
            topic.name,
            topic.per,
            EventHeaders(name, self._service, topic.cloudevents),
            topic.cloudevents,
            "event_id" in fields,
            "occurred_at" in fields,
            of in self._derived,
        )
        return kind

    def tombstone(self, base: str, key: bytes) -> Outgoing:
        """A record that deletes what a compacted topic keeps under a key."""
        return Outgoing(base, base, key, None)
