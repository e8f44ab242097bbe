"""What broadcast topics say now."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from typing import Any, TypeVar

import msgspec

from services.events.codec import decode
from services.runtime.reading import whole_topics
from services.runtime.settings import Settings

E = TypeVar("E", bound=msgspec.Struct)


def newest(settings: Settings, topic: str, event_type: type[E]) -> dict[bytes, E]:
    """The newest event of each key of a broadcast topic. Raises MissingTopic, KafkaException, Stalled."""
    found: dict[bytes, E] = look(settings, {topic: event_type})[topic]
    return found


def look(settings: Settings, topics: Mapping[str, type[msgspec.Struct]]) -> dict[str, dict[bytes, Any]]:
    """The same of several topics, by topic, in one look: what costs time is finding the broker, not the records."""
    found: dict[str, dict[bytes, Any]] = {topic: {} for topic in topics}
    with closing(whole_topics(settings, "cli", topics)) as reader:
        for record in reader.to_end():
            if record.value is None:
                found[record.topic].pop(record.key, None)
            else:
                found[record.topic][record.key] = decode(topics[record.topic], record.value)
    return found
