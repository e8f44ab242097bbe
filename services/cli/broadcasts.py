"""What broadcast topics say now."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from services.events.codec import decode
from services.runtime.kafka import admin
from services.runtime.positions import partitions_of
from services.runtime.reading import WholeTopics
from services.runtime.settings import Settings

E = TypeVar("E", bound=msgspec.Struct)


def newest(settings: Settings, topic: str, event_type: type[E]) -> dict[bytes, E]:
    """The newest event of each key of a broadcast topic. Raises MissingTopic, KafkaException."""
    client = admin(settings)
    reader = WholeTopics(settings, "cli", partitions_of(client, [topic]))
    found: dict[bytes, E] = {}
    try:
        for record in reader.to_end(client):
            if record.value is None:
                found.pop(record.key, None)
            else:
                found[record.key] = decode(event_type, record.value)
    finally:
        reader.close()
    return found
