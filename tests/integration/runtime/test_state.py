"""Keyed state: in memory and on the changelog, restored before a shard's first record."""

import threading
import time

from confluent_kafka import Consumer, TopicPartition

from services.runtime.errors import UnreadableState
from services.runtime.kafka import CONSUMER, transactional_producer
from services.runtime.reading import whole_topics
from tests.integration.runtime.conftest import Bench, wait_for


def test_state_is_restored_before_the_first_record(bench: Bench) -> None:
    bench.send(b"a", b"b")
    bench.start().stop()
    first = bench.start()
    bench.wait_outputs(2)
    first.stop()
    bench.send(b"c", topic=bench.inputs[1])
    bench.start()
    assert bench.wait_outputs(3)[-1] == b"3:c", "both inputs of a shard share its state"


def test_a_deleted_state_stays_deleted(bench: Bench) -> None:
    bench.send(b"a", b"forget")
    first = bench.start()
    bench.wait_outputs(2)
    first.stop()
    bench.send(b"b")
    bench.start()
    assert bench.wait_outputs(3)[-1] == b"1:b"


def test_reading_to_the_end_waits_for_an_open_transaction(bench: Bench) -> None:
    """The read-committed end hides what an open transaction holds back: restoring must not stop there."""
    other = transactional_producer(bench.settings(7), bench.service)
    other.init_transactions(10)
    other.begin_transaction()
    other.produce(bench.changelog, b"late", b"k", 0)
    other.flush(10)
    reader = whole_topics(bench.settings(), "t", [bench.changelog])
    found: list[bytes | None] = []
    started, done = threading.Event(), threading.Event()

    def read() -> None:
        started.set()
        found.extend(record.value for record in reader.to_end())
        done.set()

    threading.Thread(target=read, daemon=True).start()
    assert started.wait(10)
    assert not done.wait(1), "it stopped before the transaction was over"
    other.commit_transaction(10)
    assert done.wait(10)
    assert found == [b"late"]


def test_workers_share_the_shards_and_take_over_with_state(bench: Bench) -> None:
    """Shard p is partition p of every input; a worker that leaves hands its shards and their state over."""
    keys = [b"key-%d" % number for number in range(20)]
    first, second = bench.start(0), bench.start(1)
    for key in keys:
        bench.send(b"a", key=key)
    bench.wait_outputs(20)

    def divided() -> bool:
        held = [worker.loop._assignment.partitions for worker in (first, second)]
        return all(
            {n for _, n in parts} == {min(n for _, n in parts)} and len(parts) == 2 for parts in held if parts
        ) and all(held)

    wait_for("one shard each", divided)
    second.stop()
    for key in keys:
        bench.send(b"b", key=key, topic=bench.inputs[1])
    outputs = bench.wait_outputs(40)  # a static member's shards move when its session is over
    assert sorted(outputs) == sorted([b"1:a"] * 20 + [b"2:b"] * 20)


def test_a_worker_that_joins_in_mid_stream_doubles_nothing(bench: Bench) -> None:
    keys = [b"key-%d" % number for number in range(50)]
    bench.start(0, batch_records=20)
    for number in range(20):
        for key in keys:
            bench.producer.produce(bench.inputs[number % 2], b"%d" % number, key)
        bench.producer.flush(10)
        if number == 5:
            bench.start(1, batch_records=20)
        if number == 12:
            bench.start(2, batch_records=20)
    bench.wait_outputs(1000)
    counts: dict[bytes, list[int]] = {}
    for record in bench.records():
        counts.setdefault(record.key, []).append(int((record.value or b"").split(b":")[0]))
    assert all(numbers == list(range(1, 21)) for numbers in counts.values())


def test_uneven_partitions_end_the_worker(bench: Bench) -> None:
    bench.create(f"{bench.inputs[0]}.narrow", partitions=1)
    worker = bench.start()
    wait_for("the worker to end", lambda: worker.error is not None)
    assert "SLUICEGATE_SHARDS" in str(worker.error)


def test_the_topic_of_a_new_source_is_found(bench: Bench) -> None:
    bench.send(b"a")
    bench.start()
    bench.wait_outputs(1)
    bench.create(f"{bench.inputs[0]}.forum", partitions=2)
    bench.send(b"b", topic=f"{bench.inputs[0]}.forum")
    assert bench.wait_outputs(2)[-1] == b"2:b"


def test_a_former_owner_that_still_commits_is_waited_for_before_state_is_restored(bench: Bench) -> None:
    """Its offsets are in a transaction, its changes not on the changelog yet: restoring now would miss them."""
    former = Consumer(CONSUMER | {"bootstrap.servers": bench.kafka.bootstrap, "group.id": bench.service})
    given: list[TopicPartition] = []
    former.subscribe([bench.inputs[0]], on_assign=lambda _, parts: given.extend(parts))

    def assigned() -> bool:
        former.consume(1, 0.05)
        return bool(given)

    wait_for("the former owner", assigned)
    other = transactional_producer(bench.settings(7), bench.service)
    other.init_transactions(10)
    other.begin_transaction()
    offsets = [TopicPartition(bench.inputs[0], number, 0) for number in range(2)]
    other.send_offsets_to_transaction(offsets, former.consumer_group_metadata(), 10)
    former.close()
    worker = bench.start()
    wait_for("the shards", lambda: len(worker.loop._assignment.partitions) == 4)
    deadline = time.monotonic() + 1.5  # restoring two empty shards takes a tenth of that
    while time.monotonic() < deadline:
        assert not worker.loop._assignment.states.shards, "restored while the former owner could still commit"
        time.sleep(0.05)
    for shard in range(2):
        other.produce(bench.changelog, b'{"count":41,"due":null}', b"k", shard)
    other.commit_transaction(10)
    bench.send(b"a")
    assert bench.wait_outputs(1) == [b"42:a"]


def test_a_state_that_cannot_be_read_ends_the_worker_and_says_where(bench: Bench) -> None:
    """Going on would forget an open item."""
    bench.producer.produce(bench.changelog, b"from another version", b"k", 1)
    bench.send(b"a")
    worker = bench.start()
    wait_for("the worker to end", lambda: worker.error is not None)
    assert isinstance(worker.error, UnreadableState)
    assert f"b'k' at {bench.changelog}[1]@0" in str(worker.error)
    assert bench.outputs() == []
