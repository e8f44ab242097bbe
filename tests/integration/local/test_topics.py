"""`topics apply` against a real broker."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from confluent_kafka.admin import AdminClient, ConfigResource, ResourceType

from infra.local.kafka import Kafka
from infra.local.ports import free_ports
from infra.topics import PartitionCountDiffers, apply, known_sources, plan
from services.events.topics import load_topics


@pytest.fixture
def admin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AdminClient]:
    """Of a broker of its own: these tests own every topic of it."""
    port, controller_port = free_ports(2)
    broker = Kafka(tmp_path_factory.mktemp("topics"), port, controller_port)
    broker.start()
    yield AdminClient({"bootstrap.servers": broker.bootstrap})
    broker.kill()


def config(admin: AdminClient, topic: str) -> dict[str, str]:
    [future] = admin.describe_configs([ConfigResource(ResourceType.TOPIC, topic)]).values()
    return {name: entry.value for name, entry in future.result(30).items()}


def test_topics_are_created_once_mended_and_never_reshaped(admin: AdminClient) -> None:
    wanted = plan(load_topics(), shards=3, sources=["forum"])

    created = apply(admin, wanted)
    assert {change.topic for change in created} == {topic.name for topic in wanted}
    there = admin.list_topics(timeout=10).topics
    assert {topic.name: topic.partitions for topic in wanted} == {
        name: len(there[name].partitions) for name in there if not name.startswith("__")
    }
    assert len(there["content.submitted.forum"].partitions) == 3
    assert len(there["router.changelog"].partitions) == 3
    assert len(there["model.released"].partitions) == 1
    assert config(admin, "content.submitted.demo")["message.timestamp.type"] == "LogAppendTime"
    assert config(admin, "router.changelog")["cleanup.policy"] == "compact"
    assert known_sources(admin) >= {"demo", "forum"}

    assert apply(admin, wanted) == [], "a second time there is nothing to do"

    changed = [
        replace(topic, config={**topic.config, "retention.ms": "3600000"})
        if topic.name == "dead.letter"
        else topic
        for topic in wanted
    ]
    assert [(change.topic, change.done) for change in apply(admin, changed)] == [
        ("dead.letter", "set retention.ms=3600000")
    ]
    assert config(admin, "dead.letter")["retention.ms"] == "3600000"

    with pytest.raises(
        PartitionCountDiffers, match=r"content\.decided has 3 partitions and should have 6"
    ) as refusal:
        apply(admin, plan(load_topics(), shards=6, sources=["late"]))
    assert "SLUICEGATE_SHARDS" in str(refusal.value)
    assert "content.submitted.late" not in admin.list_topics(timeout=10).topics, (
        "refused before anything was done"
    )
