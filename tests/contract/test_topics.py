"""topics.yaml, the schemas and what the services say of themselves are one story."""

import importlib

import pytest

from services.events.topics import base_of, load_topics
from services.events.types import EVENTS

TOPICS = load_topics()
SERVICES = [
    "ingest",
    "classifier",
    "router",
    "review",
    "adjudicator",
    "clusters",
    "monitor",
    "retrainer",
    "analytics",
    "cli",
]


def test_every_event_has_a_topic_and_every_topic_an_event() -> None:
    carried = {topic.event for topic in TOPICS.topics.values()}
    assert carried == EVENTS.keys() | {None}
    assert [name for name, topic in TOPICS.topics.items() if topic.event is None] == ["dead.letter"]


def test_a_topic_carries_the_event_of_its_name() -> None:
    for name, topic in TOPICS.topics.items():
        if topic.event is not None:
            assert topic.event.partition(".")[0] == name.replace(".", "_")


def test_only_known_services_are_named() -> None:
    named = {who for topic in TOPICS.topics.values() for who in topic.producers + topic.consumers}
    assert named == {*SERVICES, "platform"}
    assert {changelog.service for changelog in TOPICS.changelogs.values()} <= set(SERVICES)


def test_every_topic_has_a_producer_and_reaches_analytics() -> None:
    for name, topic in TOPICS.topics.items():
        assert topic.producers, name
        assert "analytics" in topic.consumers, name


def test_what_is_keyed_by_item_has_the_partitions_of_all_such_topics() -> None:
    for name, topic in TOPICS.topics.items():
        if topic.key == "source/item_id":
            assert topic.partitions == "shards", name
            assert topic.partition_count(4) == 4


def test_what_is_broadcast_is_compacted() -> None:
    assert all(topic.cleanup == "compact" for topic in TOPICS.topics.values() if topic.broadcast)


def test_base_names_can_be_told_from_suffixes() -> None:
    for topic in TOPICS.topics.values():
        assert {base_of(name) for name in TOPICS.names(topic)} == {topic.name}


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_consumes_what_topics_yaml_says(service: str) -> None:
    assert sorted(importlib.import_module(f"services.{service}").CONSUMES) == sorted(
        TOPICS.consumed_by(service)
    )


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_produces_what_topics_yaml_says(service: str) -> None:
    assert sorted(importlib.import_module(f"services.{service}").PRODUCES) == sorted(
        TOPICS.produced_by(service)
    )
