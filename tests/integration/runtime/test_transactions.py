"""Outputs, state and offsets commit in one transaction, or none of them does."""

import threading
from collections.abc import Iterable, Sequence

import pytest
from confluent_kafka import Consumer, TopicPartition

from services.runtime.clock import now_ms
from services.runtime.errors import Fenced
from services.runtime.kafka import group_consumer, transactional_producer
from services.runtime.records import Outgoing, Record
from services.runtime.stage import Effect
from services.runtime.states import States
from services.runtime.transaction import MustAbort, Transaction
from tests.integration.runtime.conftest import Bench, Counted, CountingStage, wait_for


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

    def fail_once(self: Transaction, offsets: dict[tuple[str, int], int], group: object) -> None:
        calls.append(dict(offsets))
        if len(calls) == 1:
            raise MustAbort("forced")
        real(self, offsets, group)

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


def test_a_worker_that_lost_its_shard_fires_no_timer(bench: Bench) -> None:
    """A timer's transaction has no record in it: the offsets it rests on make Kafka refuse a zombie's."""
    hold, held = threading.Event(), threading.Event()
    stage = CountingStage(bench.out)
    wake = stage.wake

    def hang(shard: int, key: bytes, states: States[Counted], now: int) -> Iterable[Effect]:
        held.set()
        hold.wait(30)
        return wake(shard, key, states, now)

    stage.wake = hang  # type: ignore[method-assign]
    zombie = bench.start(stage=stage)
    bench.send(b"wake:%d" % now_ms())
    assert held.wait(30)
    taker = group_consumer(
        bench.settings(), bench.service, lambda _: None
    )  # the same member, another process
    try:
        given: list[TopicPartition] = []
        taker.subscribe(list(bench.inputs), on_assign=lambda _, parts: given.extend(parts))

        def assigned() -> bool:
            taker.consume(1, 0.05)
            return bool(given)

        wait_for("the shards at their new owner", assigned)
        hold.set()
        wait_for("the zombie to end", lambda: not zombie.thread.is_alive())
        assert bench.outputs() == [b"1:wake:%s" % bench.records(bench.inputs[0])[0].value[5:]]  # type: ignore[index]
        assert isinstance(zombie.error, Fenced)
    finally:
        hold.set()
        taker.close()


def test_an_abort_after_the_shards_are_gone_does_not_end_the_worker(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is aborted may by then not be this worker's: there is nothing to seek back in."""
    real, calls = Transaction.commit, []

    def lose_and_fail(self: Transaction, offsets: dict[tuple[str, int], int], group: object) -> None:
        calls.append(offsets)
        if len(calls) == 1:
            worker.loop._consumer.unassign()
            raise MustAbort("forced")
        real(self, offsets, group)

    monkeypatch.setattr(Transaction, "commit", lose_and_fail)
    worker = bench.start()
    bench.send(b"a", b"b")
    assert bench.wait_outputs(2) == [b"1:a", b"2:b"]
    assert worker.error is None


def test_a_worker_whose_transactions_are_aborted_says_so(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Transaction, offsets: dict[tuple[str, int], int], group: object) -> None:
        raise MustAbort("the output topic is not there")

    with monkeypatch.context() as failing:
        failing.setattr(Transaction, "commit", fail)
        worker = bench.start()
        bench.send(b"a")
        wait_for("the reason", lambda: "the output topic is not there" in worker.health.reason)
    assert bench.wait_outputs(1) == [b"1:a"]
    wait_for("readiness", lambda: worker.health.reason == "")


def test_reports_come_once_though_a_batch_is_aborted(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    real, calls = Transaction.commit, []

    def fail_once(self: Transaction, offsets: dict[tuple[str, int], int], group: object) -> None:
        calls.append(offsets)
        if len(calls) == 1:
            raise MustAbort("forced")
        real(self, offsets, group)

    monkeypatch.setattr(Transaction, "commit", fail_once)
    due = [Outgoing(bench.out, bench.out, b"r", b"report")]
    stage = CountingStage(bench.out)
    stage.reports = lambda now: [due.pop()] if due else []  # type: ignore[method-assign]
    bench.start(stage=stage)
    bench.send(b"a")
    assert sorted(bench.wait_outputs(2)) == [b"1:a", b"report"]
    bench.send(b"b")
    assert sorted(bench.wait_outputs(3)) == [b"1:a", b"2:b", b"report"]
