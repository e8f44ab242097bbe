"""Outputs, state and offsets commit in one transaction, or none of them does."""

import threading
from collections.abc import Sequence

import pytest
from confluent_kafka import Consumer, TopicPartition

from services.runtime.errors import Fenced
from services.runtime.records import Record
from services.runtime.transaction import MustAbort, Transaction
from tests.integration.runtime.conftest import Bench, CountingStage, wait_for


def committed_offsets(bench: Bench) -> int:
    """Sum of the group's committed offsets."""
    consumer = Consumer({"bootstrap.servers": bench.kafka.bootstrap, "group.id": bench.service})
    where = [TopicPartition(topic, p) for topic in bench.inputs for p in range(2)]
    total = sum(max(0, tp.offset) for tp in consumer.committed(where, 10))
    consumer.close()
    return total


def test_outputs_state_and_offsets_are_committed(bench: Bench) -> None:
    bench.send(b"a", b"b", b"c")
    bench.start()
    assert bench.wait_outputs(3) == [b"1:a", b"2:b", b"3:c"]
    wait_for("the offsets", lambda: committed_offsets(bench) == 3)
    assert bench.records(bench.changelog)[-1].value == b'{"count":3,"due":null}'


def test_an_aborted_batch_leaves_nothing_and_comes_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = Transaction.commit, []

    def fail_once(self: Transaction, offsets: dict[tuple[str, int], int], consumer: Consumer) -> None:
        calls.append(dict(offsets))
        if len(calls) == 1:
            raise MustAbort("forced")
        real(self, offsets, consumer)

    monkeypatch.setattr(Transaction, "commit", fail_once)
    bench.send(b"a", b"b")
    worker = bench.start()
    assert bench.wait_outputs(2) == [b"1:a", b"2:b"], "the state of the aborted attempt must not count"
    bench.send(b"c")
    assert bench.wait_outputs(3) == [b"1:a", b"2:b", b"3:c"]
    assert len(calls) >= 3 and calls[0] == calls[1], "the batch must come again as it was"
    assert worker.metrics.registry.get_sample_value("sluicegate_aborted_transactions_total") == 1


def test_what_a_dead_worker_left_open_never_shows(bench: Bench) -> None:
    """A transaction of the same slot with outputs, state and offsets in it, never committed: fenced and aborted."""
    from services.runtime.kafka import transactional_producer

    dead = transactional_producer(bench.settings(), bench.service)
    dead.init_transactions(10)
    dead.begin_transaction()
    dead.produce(bench.out, b"ghost", b"k")
    dead.produce(bench.changelog, b'{"count":99,"due":null}', b"k", 0)
    dead.produce(bench.changelog, b'{"count":99,"due":null}', b"k", 1)
    dead.flush(10)
    bench.send(b"a")
    bench.start()
    assert bench.wait_outputs(1) == [b"1:a"]


def test_a_second_worker_of_a_slot_fences_the_first(bench: Bench) -> None:
    first = bench.start()
    bench.send(b"a")
    bench.wait_outputs(1)
    bench.start()
    bench.send(b"b")
    assert bench.wait_outputs(2) == [b"1:a", b"2:b"]
    wait_for("the first to end", lambda: not first.thread.is_alive())
    assert isinstance(first.error, Fenced)


def test_a_zombie_that_wakes_up_commits_nothing(bench: Bench) -> None:
    """A worker that hangs in a batch while another takes its slot: its batch is never seen twice."""
    hold, held = threading.Event(), threading.Event()

    def hang(_: Sequence[Record]) -> None:
        held.set()
        hold.wait(30)

    zombie = bench.start(stage=CountingStage(bench.out, before=hang))
    bench.send(b"a")
    assert held.wait(30)
    bench.start()
    assert bench.wait_outputs(1) == [b"1:a"]
    hold.set()
    wait_for("the zombie to end", lambda: not zombie.thread.is_alive())
    assert bench.outputs() == [b"1:a"]
    assert zombie.error is not None


def test_an_undeclared_topic_ends_the_worker(bench: Bench) -> None:
    worker = bench.start(stage=CountingStage(bench.changelog))
    bench.send(b"a")
    wait_for("the worker to end", lambda: worker.error is not None)
    assert "does not declare" in str(worker.error)
