"""What broadcast topics say now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import click
import msgspec

from services.events.codec import decode
from services.runtime.errors import Stalled
from services.runtime.kafka import admin
from services.runtime.positions import partitions_of
from services.runtime.reading import WholeTopics
from services.runtime.settings import Settings

E = TypeVar("E", bound=msgspec.Struct)
LOOKS = 3  # at the most


def newest(settings: Settings, topic: str, event_type: type[E]) -> dict[bytes, E]:
    """The newest event of each key of a broadcast topic. Raises MissingTopic, KafkaException, Stalled."""
    found: dict[bytes, E] = look(settings, {topic: event_type})[topic]
    return found


def look(settings: Settings, topics: Mapping[str, type[msgspec.Struct]]) -> dict[str, dict[bytes, Any]]:
    """The same of several topics, by topic, in one look: what costs time is finding the broker, not the records.

    Where the client lost a leader, as it may when the broker was away for a moment, a new one looks again.
    """
    for _ in range(LOOKS - 1):
        try:
            return _look(settings, topics)
        except Stalled as stalled:
            click.echo(f"looking again with a new client: {stalled}", err=True)
    return _look(settings, topics)


def _look(settings: Settings, topics: Mapping[str, type[msgspec.Struct]]) -> dict[str, dict[bytes, Any]]:
    """One look. Raises Stalled."""
    client = admin(settings)
    reader = WholeTopics(settings, "cli", partitions_of(client, topics), watched_by=client)
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
