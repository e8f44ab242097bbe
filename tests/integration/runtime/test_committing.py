"""While one batch is committed the next is read, and handled too where no state is kept; nothing is lost or doubled."""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest

from services.runtime.errors import Unfinished
from services.runtime.records import Outgoing, Record
from services.runtime.stage import Effect, Wiring
from services.runtime.states import States
from services.runtime.transaction import MustAbort, Transaction
from tests.integration.runtime.conftest import Bench, Counted, CountingStage, wait_for


class Held:
    """Commits that wait until they are let go; the ones in `aborted` (by number) end in an abort instead. Those that
    are not `patient` give up when their worker is told to stop.
    """

    def __init__(self, patch: pytest.MonkeyPatch, aborted: Sequence[int] = (), patient: bool = False) -> None:
        self.begun, self.ended, self.go = 0, 0, threading.Event()
        real = Transaction.commit

        def commit(transaction: Transaction, offsets: dict[tuple[str, int], int], group: object) -> None:
            self.begun += 1
            number = self.begun
            while not self.go.wait(0.01):
                if transaction._stopping() and not patient:
                    raise Unfinished("told to stop")
            if number in aborted:
                raise MustAbort("forced")
            real(transaction, offsets, group)
            self.ended += 1

        patch.setattr(Transaction, "commit", commit)


class Passing(CountingStage):
    """Passes records on, and keeps no state."""

    def handle(self, batch: Sequence[Record], states: States[Counted], now: int) -> Iterator[Effect]:
        self.before(batch)
        for record in batch:
            yield Outgoing(self.out, self.out, record.key, record.value)


class Stateless(Bench):
    """A bench whose service keeps no state."""

    def wiring(self, stage: CountingStage) -> Wiring[Counted]:
        return replace(super().wiring(stage), changelog=None)


@pytest.fixture
def stateless(bench: Bench) -> Stateless:
    bench.__class__ = Stateless
    assert isinstance(bench, Stateless)
    return bench


def test_a_batch_is_handled_while_the_one_before_is_committed(
    stateless: Stateless, monkeypatch: pytest.MonkeyPatch
) -> None:
    held, handled = Held(monkeypatch), list[bytes]()
    stage = Passing(stateless.out, before=lambda batch: handled.extend(r.value or b"" for r in batch))
    stateless.start(stage=stage, batch_records=1)
    stateless.send(b"a", b"b", b"c")
    wait_for("two batches to be handled", lambda: len(handled) >= 2)
    assert (held.begun, handled) == (1, [b"a", b"b"]), "one at a time is committed, one more is handled"
    held.go.set()
    assert stateless.wait_outputs(3) == [b"a", b"b", b"c"]


def test_what_was_handled_ahead_of_an_abort_comes_again(
    stateless: Stateless, monkeypatch: pytest.MonkeyPatch
) -> None:
    held, handled = Held(monkeypatch, aborted=[1]), list[bytes]()
    stage = Passing(stateless.out, before=lambda batch: handled.extend(r.value or b"" for r in batch))
    stateless.start(stage=stage, batch_records=1)
    stateless.send(b"a", b"b", b"c")
    wait_for("two batches to be handled", lambda: len(handled) >= 2)
    held.go.set()
    assert stateless.wait_outputs(3) == [b"a", b"b", b"c"]
    assert handled[:4] == [b"a", b"b", b"a", b"b"]


def test_a_state_is_not_looked_at_before_what_changes_it_is_committed(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    held, handled = Held(monkeypatch), list[tuple[bytes | None, int]]()
    stage = CountingStage(
        bench.out, before=lambda batch: handled.extend((r.value, held.ended) for r in batch)
    )
    worker = bench.start(stage=stage, batch_records=1)
    bench.send(b"a", b"b")
    wait_for("the first commit", lambda: held.begun == 1)
    consumer = worker.loop._consumer

    def read() -> int:
        return sum(max(0, at.offset) for at in consumer.position(consumer.assignment()))

    wait_for("the second to be read", lambda: read() == 2)
    held.go.set()
    assert bench.wait_outputs(2) == [b"1:a", b"2:b"]
    assert handled == [(b"a", 0), (b"b", 1)], "the second is handled once the first is committed"


def test_shards_are_handed_over_once_what_is_being_committed_is(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second worker joins while the first commits: what it restores has the batch, and nothing comes twice."""
    held = Held(monkeypatch)
    keys = [b"key-%d" % number for number in range(20)]
    bench.start(0)
    for key in keys:
        bench.send(b"a", key=key)
    wait_for("the first commit", lambda: held.begun == 1)
    second = bench.start(1)
    wait_for("the second to wait for its shards", lambda: "no shards assigned" in second.health.reason)
    held.go.set()
    for key in keys:
        bench.send(b"b", key=key)
    outputs = bench.wait_outputs(40)
    assert sorted(outputs) == sorted([b"1:a"] * 20 + [b"2:b"] * 20)


def test_a_worker_that_stops_finishes_what_it_commits(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    held = Held(monkeypatch, patient=True)
    bench.send(b"a")
    worker = bench.start()
    wait_for("the commit", lambda: held.begun == 1)
    worker.stop_event.set()
    held.go.set()
    worker.stop()
    assert worker.error is None
    assert bench.outputs() == [b"1:a"]
    assert worker.metrics.registry.get_sample_value("sluicegate_batch_records_count") == 1, "it is counted"
    bench.start()
    bench.send(b"b")
    assert bench.wait_outputs(2) == [b"1:a", b"2:b"]


def test_a_worker_that_fails_does_not_wait_for_a_commit_that_hangs(
    stateless: Stateless, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = Held(monkeypatch)
    stage = Passing(stateless.out)
    worker = stateless.start(stage=stage)
    stateless.send(b"a")
    wait_for("the commit", lambda: held.begun == 1)
    stage.out = stateless.changelog  # it declares no such topic
    stateless.send(b"b")
    wait_for("the worker to end", lambda: not worker.thread.is_alive())
    assert "does not declare" in str(worker.error)
    assert stateless.outputs() == []
