"""Timers are due times in keyed state; they fire in a transaction, and only after what came before them was read."""

from services.runtime.clock import now_ms
from services.runtime.kafka import transactional_producer
from tests.integration.runtime.conftest import Bench, wait_for


def test_a_timer_fires_once_and_survives_a_restart(bench: Bench) -> None:
    due = now_ms() + 1500
    bench.send(b"wake:%d" % due)
    first = bench.start()
    bench.wait_outputs(1)
    first.stop()
    bench.start()
    outputs = bench.wait_outputs(2)
    assert outputs[1] == b"woken at 1" and now_ms() >= due
    bench.send(b"a")
    assert bench.wait_outputs(3)[2] == b"2:a", "it fired once"


def test_a_timer_waits_for_what_was_acknowledged_before_it(bench: Bench) -> None:
    """An input held back by an open transaction is older than the due time: it must be handled first."""
    bench.start()
    other = transactional_producer(bench.settings(7), bench.service + "-upstream")
    other.init_transactions(10)
    other.begin_transaction()
    other.produce(bench.inputs[1], b"early", b"k")
    other.flush(10)
    due = now_ms() + 300
    bench.send(b"wake:%d" % due)
    bench.wait_outputs(1)
    wait_for("well past the due time", lambda: now_ms() > due + 1500)
    assert len(bench.outputs()) == 1, "the timer overlooked what was acknowledged before it"
    other.commit_transaction(10)
    wait_for("the early record", lambda: b"2:early" in bench.outputs())
    assert bench.outputs()[1] == b"2:early"


def test_a_state_that_no_longer_wants_waking_is_left_alone(bench: Bench) -> None:
    due = now_ms() + 800
    bench.send(b"wake:%d" % due, b"changed its mind")
    bench.start()
    bench.wait_outputs(2)
    wait_for("the due time to pass", lambda: now_ms() > due + 500)
    bench.send(b"after")
    assert bench.wait_outputs(3)[2] == b"3:after"


def test_more_timers_than_a_batch_may_have_all_fire_once(bench: Bench) -> None:
    due = now_ms() + 1000
    for number in range(60):
        bench.producer.produce(bench.inputs[0], b"wake:%d" % due, b"key-%d" % number)
    bench.send(b"last", key=b"last")
    bench.start(batch_records=7)
    woken = [out for out in bench.wait_outputs(121) if out == b"woken at 1"]
    assert len(woken) == 60
    bench.send(b"after", key=b"last")
    assert bench.wait_outputs(122).count(b"woken at 1") == 60
