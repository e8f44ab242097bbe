"""What broadcast topics say now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from services.events.codec import decode
from services.runtime.kafka import admin
from services.runtime.positions import partitions_of
from services.runtime.reading import WholeTopics
from services.runtime.settings import Settings

E = TypeVar("E", bound=msgspec.Struct)


def newest(settings: Settings, topic: str, event_type: type[E]) -> dict[bytes, E]:
    """The newest event of each key of a broadcast topic. Raises MissingTopic, KafkaException."""
    found: dict[bytes, E] = look(settings, {topic: event_type})[topic]
    return found


def look(settings: Settings, topics: Mapping[str, type[msgspec.Struct]]) -> dict[str, dict[bytes, Any]]:
    """The same of several topics, by topic, in one look: what costs time is finding the broker, not the records."""
    client = admin(settings)
    reader = WholeTopics(settings, "cli", partitions_of(client, topics))
    found: dict[str, dict[bytes, Any]] = {topic: {} for topic in topics}
    try:
        for record in reader.to_end(client):
            if record.value is None:
                found[record.topic].pop(record.key, None)
            else:
                found[record.topic][record.key] = decode(topics[record.topic], record.value)
    finally:
        reader.close()
    return found
