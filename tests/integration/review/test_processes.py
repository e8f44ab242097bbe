"""The two processes as they are started, killed and stopped; and the commands."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator

import httpx
import pytest
from click.testing import CliRunner

from infra.local.ports import free_ports
from services.cli.accounts import accounts
from services.cli.review import review
from services.review.accounts import open_accounts
from services.runtime.settings import Settings
from tests.integration.review.world import World, until


class Process:
    """`python -m services.review NAME` on a free port."""

    def __init__(self, world: World, name: str, port_setting: str) -> None:
        self.port = free_ports(1)[0]
        values = world.common() | {port_setting: self.port, "metadata_refresh_ms": 500, "review_tick_ms": 50}
        self._environment = os.environ | {f"SLUICEGATE_{key.upper()}": str(v) for key, v in values.items()}
        self._name = name
        self.start()

    def start(self) -> None:
        """Start it and wait until it is ready."""
        command = [sys.executable, "-m", "services.review", self._name]
        self.process = subprocess.Popen(command, env=self._environment, stdout=subprocess.DEVNULL)
        until(self.ready, f"{self._name} is ready", 90)

    def ready(self) -> bool:
        """What /readyz says."""
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}/readyz").status_code == 200
        except httpx.TransportError:
            assert self.process.poll() is None, f"{self._name} ended with {self.process.returncode}"
            return False

    def end(self, number: signal.Signals) -> int:
        """Send a signal and wait; answers the exit code."""
        self.process.send_signal(number)
        return self.process.wait(30)


@pytest.fixture
def feed(world: World) -> Iterator[Process]:
    made = Process(world, "feed", "metrics_port")
    yield made
    if made.process.poll() is None:
        made.end(signal.SIGKILL)


def test_a_feed_killed_in_mid_stream_loses_and_doubles_nothing(world: World, feed: Process) -> None:
    tasks: list[str] = []

    def publish() -> None:
        tasks.extend(world.request(f"post-{number}", seen=False) for number in range(400))

    publisher = threading.Thread(target=publish)
    publisher.start()
    for count in (50, 200):
        until(lambda count=count: world.board.look().tasks >= count, "it is in mid-stream")  # type: ignore[misc]
        assert feed.end(signal.SIGKILL) == -signal.SIGKILL
        feed.start()
    publisher.join()
    until(lambda: world.board.look().tasks == 400, "all tasks are there")
    status = world.board.look()
    assert (status.depth, status.epoch) == (400, 1)
    assert all(world.board.body(task) for task in tasks)


def test_both_end_cleanly_when_told_to(world: World, feed: Process) -> None:
    api = Process(world, "api", "review_port")
    try:
        assert (
            httpx.get(f"http://127.0.0.1:{feed.port}/metrics").text.count("sluicegate_review_open_tasks") > 0
        )
        assert httpx.get(f"http://127.0.0.1:{api.port}/v1/me").status_code == 401
    finally:
        code = api.end(signal.SIGTERM)
    assert code == 0
    assert feed.end(signal.SIGTERM) == 0


def test_rebuild_and_status_by_command(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.feed()
    world.request("post-1")
    monkeypatch.setenv("SLUICEGATE_REDIS_URL", world.redis_url)
    monkeypatch.setenv("COLUMNS", "160")
    epoch = world.board.look().epoch or 0
    done = CliRunner().invoke(review, ["rebuild", "--queue", world.queue, "--timeout", "60"])
    assert done.exit_code == 0, done.output
    assert done.output.endswith(f"{world.queue}: 1 tasks, epoch {epoch + 1}\n")
    assert world.queue in CliRunner().invoke(review, ["status"]).output
    wrong = CliRunner().invoke(review, ["rebuild", "--queue", "nothing"])
    assert wrong.exit_code == 1 and "no queue nothing" in wrong.output


def test_a_rebuild_without_a_feed_says_so(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.feed().stop()
    monkeypatch.setenv("SLUICEGATE_REDIS_URL", world.redis_url)
    done = CliRunner().invoke(review, ["rebuild", "--queue", world.queue, "--timeout", "0.5"])
    assert done.exit_code == 1 and "services.review feed" in done.output


def test_accounts_by_command(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in world.common().items():
        monkeypatch.setenv(f"SLUICEGATE_{name.upper()}", value)
    made = CliRunner().invoke(accounts, ["create", "ada", "--role", "admin"])
    assert made.exit_code == 0, made.output
    password = made.output.split("password")[1].strip()
    known = open_accounts(Settings())
    found = known.verify("ada", password)
    assert found is not None and found.role == "admin"
    given = CliRunner().invoke(accounts, ["create", "grace", "--password-stdin"], input="long enough\n")
    assert given.exit_code == 0 and "long enough" not in given.output
    assert known.verify("grace", "long enough") is not None
    again = CliRunner().invoke(accounts, ["create", "ada"])
    assert again.exit_code == 1 and "already" in again.output
    assert CliRunner().invoke(accounts, ["disable", "ada"]).exit_code == 0
    assert known.verify("ada", password) is None
    shown = CliRunner().invoke(accounts, ["list"]).output
    assert "grace" in shown and "disabled" in shown
    audited = [raw for raw in world.records("audit.recorded") if b'"account.' in raw]
    assert any(b'"account.created"' in raw and b'"subject":"ada"' in raw for raw in audited)
