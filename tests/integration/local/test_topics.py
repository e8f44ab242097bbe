"""`topics apply` against a real broker."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from click.testing import CliRunner, Result
from confluent_kafka.admin import AdminClient, ConfigResource, ResourceType

from infra.local.kafka import Kafka
from infra.local.ports import free_ports
from infra.topics import PartitionCountDiffers, apply, known_sources, plan
from services.cli.__main__ import main
from services.events.topics import load_topics

Run = Callable[..., Result]


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    """A broker of its own: these tests own every topic of it."""
    port, controller_port = free_ports(2)
    broker = Kafka(tmp_path_factory.mktemp("topics"), port, controller_port)
    broker.start()
    yield broker
    broker.kill()


@pytest.fixture
def admin(broker: Kafka) -> AdminClient:
    return AdminClient({"bootstrap.servers": broker.bootstrap})


@pytest.fixture
def sluicegate(broker: Kafka, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the command line against the broker."""

    def run(*arguments: str, **settings: str) -> Result:
        for name, value in {"KAFKA": broker.bootstrap, **settings}.items():
            monkeypatch.setenv(f"SLUICEGATE_{name}", value)
        return CliRunner().invoke(main, arguments)

    return run


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


def test_the_command_says_what_it_did_and_refuses_to_reshape(sluicegate: Run, admin: AdminClient) -> None:
    assert sluicegate("topics", "apply", SHARDS="3").exit_code == 0
    again = sluicegate("topics", "apply", SHARDS="3")
    assert again.exit_code == 0 and again.output.endswith("as schemas/topics.yaml wants them; 0 changes\n")

    admin.delete_topics(["scores.summarized"])["scores.summarized"].result(30)
    mended = sluicegate("topics", "apply", SHARDS="3")
    assert "scores.summarized: created" in mended.output and "; 1 changes" in mended.output

    refused = sluicegate("topics", "apply", SHARDS="5")
    assert refused.exit_code == 1
    assert "content.decided has 3 partitions and should have 5" in refused.output
    assert "Set SLUICEGATE_SHARDS back" in refused.output


def test_a_broker_that_is_not_there_is_said_with_what_to_check(sluicegate: Run) -> None:
    [nobody] = free_ports(1)
    refused = sluicegate("topics", "apply", KAFKA=f"127.0.0.1:{nobody}")
    assert refused.exit_code == 1
    assert f"Kafka at 127.0.0.1:{nobody}" in refused.output and "SLUICEGATE_KAFKA" in refused.output
