"""Only what the stack itself started is ever ended."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from infra.local.pids import PidFolder

WAIT = "print('ready', flush=True); time.sleep(600)"
READY = [sys.executable, "-c", f"import time; {WAIT}"]
DEAF = [sys.executable, "-c", f"import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); {WAIT}"]


@contextmanager
def running(pids: PidFolder, name: str, command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(pids.recording(name, command), stdout=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            process.kill()


def test_a_command_records_the_pid_it_keeps(tmp_path: Path) -> None:
    pids = PidFolder(tmp_path)
    with running(pids, "router", READY) as process:
        assert process.stdout is not None and process.stdout.readline() == b"ready\n"
        assert int(pids.path("router").read_text()) == process.pid
        assert pids.alive().keys() == {"router"}
        assert pids.end_all() == ["router"]
        assert not psutil.pid_exists(process.pid)
        assert pids.alive() == {} and not pids.path("router").exists()


def test_who_ignores_a_polite_request_is_killed(tmp_path: Path) -> None:
    pids = PidFolder(tmp_path)
    with running(pids, "deaf", DEAF) as process:
        assert process.stdout is not None and process.stdout.readline() == b"ready\n"
        assert pids.end_all(seconds=0.5) == ["deaf"]
        assert not psutil.pid_exists(process.pid)


def test_a_pid_that_somebody_else_has_now_is_left_alone(tmp_path: Path) -> None:
    pids = PidFolder(tmp_path)
    pids.path("router").write_text(f"{os.getpid()}\n")
    long_ago = time.time() - 10_000_000
    os.utime(pids.path("router"), (long_ago, long_ago))
    assert pids.alive() == {}
    assert pids.end_all() == []


def test_records_of_what_is_gone_or_unreadable_are_nothing(tmp_path: Path) -> None:
    pids = PidFolder(tmp_path)
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    pids.path("gone").write_text(str(gone.pid))
    pids.path("cut-off").write_text("")
    pids.path("nonsense").write_text("not a pid")
    assert pids.alive() == {}
