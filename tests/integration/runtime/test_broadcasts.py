"""Broadcast topics are read to the end before content, and followed after."""

from tests.integration.runtime.conftest import Bench, CountingStage, wait_for


def test_broadcasts_are_read_to_the_end_before_content(bench: Bench) -> None:
    heard_before_content: list[int] = []
    stage = CountingStage(bench.out)
    stage.before = lambda _: heard_before_content.append(len(stage.heard))
    bench.send(*[b"signal-%d" % n for n in range(500)], topic=bench.signal)
    bench.send(b"a")
    bench.start(stage=stage)
    bench.wait_outputs(1)
    assert heard_before_content[0] == 500
    bench.send(b"later", topic=bench.signal)
    wait_for("a later signal", lambda: stage.heard[-1] == b"later")


def test_a_worker_that_is_not_ready_takes_nothing_and_says_why(bench: Bench) -> None:
    stage = CountingStage(bench.out)
    stage.ready = lambda: "" if stage.heard else "no model is live: release one"
    bench.send(b"a")
    worker = bench.start(stage=stage)
    wait_for("the reason", lambda: worker.health.reason == "no model is live: release one")
    assert bench.outputs() == []
    bench.send(b"model", topic=bench.signal)
    assert bench.wait_outputs(1) == [b"1:a"]
    wait_for("readiness", lambda: worker.health.reason == "")
