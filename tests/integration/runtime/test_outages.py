"""The broker goes away and comes back; a process is told to stop, or is killed."""

import json
import os
import signal
import subprocess
import sys
import textwrap

from tests.integration.runtime.conftest import Bench, wait_for

PROGRAM = textwrap.dedent(
    """
    import json, sys
    from services.runtime.settings import LoopSettings
    from services.runtime.stage import Wiring
    from services.runtime.worker import run_worker
    from tests.integration.runtime.conftest import CountingStage
    given = json.loads(sys.argv[1])
    stage = CountingStage(given["out"])
    inputs, signal, out = tuple(given["inputs"]), (given["signal"],), (given["out"],)
    wiring = Wiring(given["service"], stage, inputs, signal, out, given["changelog"])
    run_worker(wiring, LoopSettings.model_validate(given["settings"]))
    """
)


def spawn(bench: Bench, output: int = subprocess.DEVNULL, **more: object) -> subprocess.Popen[bytes]:
    """A worker in a process of its own. `output` PIPE keeps what it writes for `communicate`."""
    given = {
        "out": bench.out,
        "service": bench.service,
        "inputs": bench.inputs,
        "signal": bench.signal,
        "changelog": bench.changelog,
        "settings": bench.settings(batch_records=50).model_dump(mode="json") | more,
    }
    command = [sys.executable, "-c", PROGRAM, json.dumps(given)]
    return subprocess.Popen(command, stdout=output, stderr=output)


def check_each_once(bench: Bench, keys: list[bytes], rounds: int) -> None:
    counts: dict[bytes, list[int]] = {}
    for record in bench.records():
        counts.setdefault(record.key, []).append(int((record.value or b"").split(b":")[0]))
    assert counts.keys() == set(keys)
    assert all(numbers == list(range(1, rounds + 1)) for numbers in counts.values())


def test_the_broker_goes_away_and_comes_back(bench: Bench) -> None:
    keys = [b"key-%d" % number for number in range(40)]
    # A static member whose session is over while the broker is away may be told that it is another: its process ends
    # and the supervisor starts it again, and so may one whose transaction is over. Here both outlive its absence.
    bench.start(batch_records=30, session_timeout_ms=60_000, transaction_timeout_ms=60_000)
    for number in range(10):
        for key in keys:
            bench.producer.produce(bench.inputs[0], b"%d" % number, key)
    bench.producer.flush(10)
    bench.wait_outputs(40)
    bench.kafka.kill()
    bench.kafka.start()
    for number in range(10, 15):
        for key in keys:
            bench.producer.produce(bench.inputs[1], b"%d" % number, key)
    assert bench.producer.flush(30) == 0
    bench.wait_outputs(600)
    check_each_once(bench, keys, 15)
    assert bench.workers[0].error is None


def test_a_killed_process_loses_and_doubles_nothing(bench: Bench) -> None:
    keys = [b"key-%d" % number for number in range(40)]
    process = spawn(bench)
    try:
        for number in range(12):
            for key in keys:
                bench.producer.produce(bench.inputs[number % 2], b"%d" % number, key)
            bench.producer.flush(10)
            if number in (3, 8):
                bench.wait_outputs(40 * number)
                process.send_signal(signal.SIGKILL)
                process.wait(10)
                process = spawn(bench)
        bench.wait_outputs(480)
    finally:
        process.kill()
        process.wait(10)
    check_each_once(bench, keys, 12)


def test_sigterm_finishes_the_batch_and_exits_cleanly(bench: Bench) -> None:
    process = spawn(bench)
    try:
        bench.send(*[b"%d" % number for number in range(2000)])
        wait_for("the first outputs", lambda: len(bench.outputs()) > 0)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        seen = len(bench.outputs())
        outputs = bench.outputs()
        assert len(outputs) == seen, "nothing comes after it has gone"
        assert outputs == [b"%d:%d" % (number + 1, number) for number in range(seen)]
    finally:
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)


def test_an_idle_worker_says_that_the_broker_is_away_and_that_it_is_back(bench: Bench) -> None:
    bench.send(b"a")
    worker = bench.start(session_timeout_ms=60_000)
    bench.wait_outputs(1)
    wait_for("readiness", lambda: worker.health.reason == "")
    bench.kafka.kill()
    try:
        wait_for("the reason", lambda: "does not answer" in worker.health.reason)
    finally:
        bench.kafka.start()
    wait_for("readiness", lambda: worker.health.reason == "")


def test_a_worker_without_a_broker_logs_json_only_and_stops_when_told(bench: Bench) -> None:
    process = spawn(bench, subprocess.PIPE, kafka="127.0.0.1:1")
    assert process.stdout is not None and process.stderr is not None
    assert json.loads(process.stdout.readline())["event"] == "started"
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0
    assert [json.loads(line)["event"] for line in out.splitlines()][-1] == "stopped"
    assert all(line.startswith(b"%") for line in err.splitlines()), (
        "librdkafka's own lines are apart, on stderr"
    )


def test_what_ends_a_worker_is_logged_with_its_reason(bench: Bench) -> None:
    bench.producer.produce(bench.changelog, b"from another version", b"k", 0)
    bench.send(b"a")
    process = spawn(bench, subprocess.PIPE)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 1 and err == b""
    last = json.loads(out.splitlines()[-1])
    assert last["event"] == "ended" and last["kind"] == "UnreadableState"
