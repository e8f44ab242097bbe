"""What topics.yaml comes to in Kafka, without a broker."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.topics import KafkaTopic, plan
from services.events.topics import Topics, load_topics

COMMON: dict[str, Any] = {"event": None, "key": "any", "producers": ["cli"], "consumers": ["analytics"]}
DOCUMENT: dict[str, Any] = {
    "sources": ["demo"],
    "queues": ["general", "expert"],
    "defaults": {
        "partitions": "shards",
        "cleanup": "delete",
        "retention_hours": 168,
        "max_record_kib": 1024,
        "timestamps": "create",
    },
    "topics": {
        "content.submitted": COMMON | {"per": "source", "timestamps": "append"},
        "review.requested": COMMON | {"per": "queue"},
        "label.recorded": COMMON
        | {"cleanup": "compact", "max_compaction_lag_hours": 24, "tombstone_hours": 168},
        "model.released": COMMON | {"partitions": 1, "cleanup": "compact"},
    },
    "changelogs": {"router.changelog": {"service": "router"}},
}


@pytest.fixture
def described(tmp_path: Path) -> Topics:
    path = tmp_path / "topics.yaml"
    path.write_text(yaml.safe_dump(DOCUMENT))
    return load_topics(path)


def by_name(topics: Topics, **options: Any) -> dict[str, KafkaTopic]:
    return {topic.name: topic for topic in plan(topics, **{"shards": 4, **options})}


def test_one_topic_for_each_source_queue_and_changelog(described: Topics) -> None:
    assert sorted(by_name(described, sources=["forum", "demo"])) == [
        "content.submitted.demo",
        "content.submitted.forum",
        "label.recorded",
        "model.released",
        "review.requested.expert",
        "review.requested.general",
        "router.changelog",
    ]


def test_what_is_keyed_by_item_has_as_many_partitions_as_there_are_shards(described: Topics) -> None:
    counts = {name: topic.partitions for name, topic in by_name(described, shards=7).items()}
    assert counts.pop("model.released") == 1
    assert set(counts.values()) == {7}


def test_a_record_is_gone_when_its_retention_is_over_though_kafka_forgets_late(described: Topics) -> None:
    config = by_name(described)["content.submitted.demo"].config
    late = int(config["segment.ms"]) + 300_000
    assert int(config["retention.ms"]) + late == 168 * 3_600_000


def test_compacted_topics_bound_how_long_a_withdrawn_text_stays(described: Topics) -> None:
    config = by_name(described)["label.recorded"].config
    assert config["cleanup.policy"] == "compact"
    assert config["max.compaction.lag.ms"] == str(24 * 3_600_000)
    assert config["delete.retention.ms"] == str(168 * 3_600_000)
    assert "retention.ms" not in config


def test_what_is_forgotten_is_compacted_until_then() -> None:
    config = {topic.name: topic for topic in plan(load_topics(), shards=4)}["text.decided"].config
    assert config["cleanup.policy"] == "compact,delete"
    assert config["retention.ms"] == str(168 * 3_600_000)


def test_timestamps_and_sizes(described: Topics) -> None:
    config = by_name(described)["content.submitted.demo"].config
    assert config["message.timestamp.type"] == "LogAppendTime"
    assert int(config["max.message.bytes"]) > 1024 * 1024
    assert by_name(described)["review.requested.expert"].config["message.timestamp.type"] == "CreateTime"


def test_two_of_three_replicas_acknowledge(described: Topics) -> None:
    assert by_name(described, replication=3)["label.recorded"].config["min.insync.replicas"] == "2"
    assert by_name(described, replication=1)["label.recorded"].config["min.insync.replicas"] == "1"


def test_the_catalogue_itself_can_be_planned() -> None:
    planned = [topic.name for topic in plan(load_topics(), shards=4)]
    assert len(planned) == len(set(planned))
    assert {"content.submitted.demo", "content.decided", "dead.letter"} <= set(planned)
