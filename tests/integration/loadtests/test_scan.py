"""The independent scan on a real broker: committed records only, to the very end, past markers and aborts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from infra.local.kafka import Kafka
from infra.local.ports import free_ports
from loadtests.count import main
from loadtests.manifest import Acknowledged, Key, Manifest
from loadtests.scan import ScanTimeout, scan
from services.events import codec
from tests.conftest import MakeTopic
from tests.unit.loadtests.world import decided


def transactional(kafka: Kafka, name: str) -> Producer:
    producer = Producer(
        {"bootstrap.servers": kafka.bootstrap, "transactional.id": name, "retry.backoff.ms": 5}
    )
    producer.init_transactions(30)
    return producer


def test_aborted_records_are_not_seen_and_markers_at_the_end_do_not_hold_the_scan_up(
    kafka: Kafka, make_topic: MakeTopic
) -> None:
    topic = make_topic("scan", partitions=2)
    producer = transactional(kafka, topic)
    for value, commit in ((b"one", True), (b"aborted", False), (b"two", True), (b"aborted too", False)):
        producer.begin_transaction()
        producer.produce(topic, value, partition=0)
        producer.flush(10)  # the broker has it before the transaction ends
        producer.commit_transaction(30) if commit else producer.abort_transaction(30)
    assert [seen.value for seen in scan(kafka.bootstrap, [topic])] == [b"one", b"two"]


def test_a_transaction_that_stays_open_is_an_error_that_says_where(
    kafka: Kafka, make_topic: MakeTopic
) -> None:
    topic = make_topic("scan")
    producer = transactional(kafka, topic)
    producer.begin_transaction()
    producer.produce(topic, b"held back")
    producer.flush(10)
    with pytest.raises(ScanTimeout, match=topic):
        list(scan(kafka.bootstrap, [topic], timeout=1))
    producer.commit_transaction(30)
    assert [seen.value for seen in scan(kafka.bootstrap, [topic])] == [b"held back"]


def test_a_topic_is_found_by_its_base_name_and_an_empty_one_has_nothing(
    kafka: Kafka, make_topic: MakeTopic
) -> None:
    topic = make_topic("scan.requested.general")
    assert list(scan(kafka.bootstrap, [topic])) == []
    producer = Producer({"bootstrap.servers": kafka.bootstrap})
    producer.produce(topic, b"there")
    producer.flush(10)
    assert [seen.topic for seen in scan(kafka.bootstrap, ["scan.requested"])] == [topic]


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Kafka]:
    """A broker without topics: the command scans those of the product by name."""
    own = Kafka(tmp_path / "kafka", *free_ports(2))
    own.start()
    yield own
    own.kill()


def test_the_command_finds_a_planted_loss_and_a_planted_duplicate(broker: Kafka, tmp_path: Path) -> None:
    admin = AdminClient({"bootstrap.servers": broker.bootstrap})
    for future in admin.create_topics([NewTopic("content.decided", 1, 1)]).values():
        future.result(30)
    with Manifest(tmp_path / "manifest.jsonl") as manifest:
        for item in ("fine", "doubled", "vanished"):
            manifest.note(Acknowledged(manifest.publish(Key("demo", item, 1))))
    producer = Producer({"bootstrap.servers": broker.bootstrap})
    for item in ("fine", "doubled", "doubled"):
        producer.produce("content.decided", codec.encode(decided(item)))
    producer.flush(10)

    answer = CliRunner().invoke(main, [str(tmp_path / "manifest.jsonl"), "--kafka", broker.bootstrap])

    assert answer.exit_code == 1
    assert "lost: nothing: demo/vanished@1" in answer.output
    assert "duplicated: decision 0 final=True: demo/doubled@1" in answer.output
    assert answer.output.splitlines()[-3:] == ["lost 1", "duplicated 1", "wrong 0"]
