"""A server that we start, wait for by asking it, and stop: what Kafka and Redis have in common."""

from __future__ import annotations

import signal
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path

from infra.local.errors import NotReady

POLL = 0.05  # seconds between two questions to a server that does not answer yet


class Server(ABC):
    """One server process with its data in a folder. Started directly it belongs to this Python process (tests);
    the supervisor takes `prepare()` and `command()` instead and runs it itself.
    """

    name: str
    stop_seconds: float = 30

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.log = self.folder / f"{self.name}.log"
        self._process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def prepare(self) -> None:
        """Writes the configuration and formats storage where that was not done yet."""

    @abstractmethod
    def command(self) -> list[str]:
        """The command that runs the server in the foreground."""

    @abstractmethod
    def answers(self) -> bool:
        """Whether the server answers a real question now."""

    @property
    def pid(self) -> int:
        """Of the process we started. Raises NotReady when it was not started."""
        if self._process is None:
            raise NotReady(f"{self.name} was not started")
        return self._process.pid

    def start(self, timeout: float = 60) -> None:
        """Starts the server and waits until it answers. Raises NotReady with the end of its log."""
        self.prepare()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            self.wait(timeout, self._ended)
        except BaseException:
            self.kill()
            raise

    def wait(self, timeout: float, given_up: Callable[[], str | None]) -> None:
        """Returns when the server answers. Raises NotReady after `timeout` seconds, or at once when `given_up` says
        why it never will; with the end of its log.
        """
        deadline = time.monotonic() + timeout
        while not self.answers():
            reason = given_up()
            if reason is None and time.monotonic() > deadline:
                reason = f"did not answer within {timeout:.0f} s"
            if reason is not None:
                raise NotReady(f"{self.name} {reason}; the end of {self.log}:\n{self.tail()}")
            time.sleep(POLL)

    def stop(self) -> None:
        """Asks the server to stop and waits for it; kills it when it takes longer than `stop_seconds`."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL, as a crash would; waits until the process is gone."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Stops and starts again on the same data and ports."""
        self.stop()
        self.start()

    def tail(self, lines: int = 15) -> str:
        """The last lines of its log."""
        if not self.log.exists():
            return "(no log)"
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def _ended(self) -> str | None:
        code = self._process.poll() if self._process else None
        return None if code is None else f"ended with code {code}"

    def _end(self, number: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(number)
        try:
            process.wait(self.stop_seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
