"""What review says it reads and writes is what topics.yaml says."""

from __future__ import annotations

from services import review
from services.events.topics import load_topics
from services.review.core.changes import EVENTS


def test_topics_yaml_agrees() -> None:
    topics = load_topics()
    assert set(review.CONSUMES) == set(topics.consumed_by("review")) == set(EVENTS)
    assert set(review.PRODUCES) == set(topics.produced_by("review"))
