"""What topics.yaml comes to, without a broker."""

from typing import Any

from infra.topics import Topic, catalogue, plan

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
        "content.submitted": {"per": "source", "timestamps": "append"},
        "review.requested": {"per": "queue"},
        "label.recorded": {"cleanup": "compact", "max_compaction_lag_hours": 24, "tombstone_hours": 168},
        "model.released": {"partitions": 1, "cleanup": "compact"},
    },
    "changelogs": {"router.changelog": {"service": "router"}},
}


def topics(**options: Any) -> dict[str, Topic]:
    return {topic.name: topic for topic in plan(DOCUMENT, **{"shards": 4, **options})}


def test_one_topic_for_each_source_queue_and_changelog() -> None:
    assert sorted(topics(sources=["forum", "demo"])) == [
        "content.submitted.demo",
        "content.submitted.forum",
        "label.recorded",
        "model.released",
        "review.requested.expert",
        "review.requested.general",
        "router.changelog",
    ]


def test_what_is_keyed_by_item_has_as_many_partitions_as_there_are_shards() -> None:
    counts = {name: topic.partitions for name, topic in topics(shards=7).items()}
    assert counts.pop("model.released") == 1
    assert set(counts.values()) == {7}


def test_a_record_is_gone_when_its_retention_is_over_though_kafka_forgets_late() -> None:
    config = topics()["content.submitted.demo"].config
    late = int(config["segment.ms"]) + 300_000
    assert int(config["retention.ms"]) + late == 168 * 3_600_000


def test_compacted_topics_bound_how_long_a_withdrawn_text_stays() -> None:
    config = topics()["label.recorded"].config
    assert config["cleanup.policy"] == "compact"
    assert config["max.compaction.lag.ms"] == str(24 * 3_600_000)
    assert config["delete.retention.ms"] == str(168 * 3_600_000)
    assert "retention.ms" not in config


def test_timestamps_and_sizes() -> None:
    config = topics()["content.submitted.demo"].config
    assert config["message.timestamp.type"] == "LogAppendTime"
    assert int(config["max.message.bytes"]) > 1024 * 1024
    assert topics()["review.requested.expert"].config["message.timestamp.type"] == "CreateTime"


def test_two_of_three_replicas_acknowledge() -> None:
    assert topics(replication=3)["label.recorded"].config["min.insync.replicas"] == "2"
    assert topics(replication=1)["label.recorded"].config["min.insync.replicas"] == "1"


def test_the_catalogue_itself_can_be_planned() -> None:
    planned = [topic.name for topic in plan(catalogue(), shards=4)]
    assert len(planned) == len(set(planned))
    assert {"content.submitted.demo", "content.decided", "dead.letter"} <= set(planned)
