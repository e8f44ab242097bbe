"""The monitor as a process, and both ends of its topics."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TypeVar

import msgspec
from confluent_kafka import KafkaException

from infra.local.kafka import Kafka
from infra.local.ports import free_ports
from services.events.codec import decode
from services.events.topics import load_topics
from services.runtime.acknowledged import AcknowledgedProducer
from services.runtime.publishing import Publisher
from services.runtime.reading import whole_topics
from services.runtime.settings import Settings

SHARDS = 4
T = TypeVar("T", bound=msgspec.Struct)


class Topics:
    """Writes events as the services do, and reads what the monitor wrote."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.publisher = Publisher("tests", load_topics())
        self._producer = AcknowledgedProducer(settings, timeout_ms=60_000)

    def write(self, *events: tuple[msgspec.Struct, str]) -> None:
        """Events and their keys, acknowledged."""
        self._producer.send_all([self.publisher.outgoing(event, key) for event, key in events], timeout=60)

    def read(self, topic: str, kind: type[T]) -> list[T]:
        """All committed events of a topic of one partition; asked again while a broker that came back settles."""
        deadline = time.monotonic() + 60
        while True:
            try:
                return self._read(topic, kind)
            except KafkaException:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)

    def _read(self, topic: str, kind: type[T]) -> list[T]:
        with closing(whole_topics(self.settings, "tests", [topic])) as reader:
            return [decode(kind, record.value or b"") for record in reader.to_end()]

    def close(self) -> None:
        self._producer.close()


class Worker:
    """`python -m services.monitor` with windows of seconds."""

    def __init__(self, broker: Kafka, folder: Path, analytics_url: str) -> None:
        (self.port,) = free_ports(1)
        self.log = folder / "monitor.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._environment = os.environ | {
            "SLUICEGATE_KAFKA": broker.bootstrap,
            "SLUICEGATE_METRICS_PORT": str(self.port),
            "SLUICEGATE_VAR": str(folder),
            "SLUICEGATE_SHARDS": str(SHARDS),
            "SLUICEGATE_ANALYTICS_URL": analytics_url,
            "SLUICEGATE_STEP_SECONDS": "2",
            "SLUICEGATE_AGREEMENT_SECONDS": "4",
            "SLUICEGATE_WINDOW_SECONDS": "4",
            "SLUICEGATE_GRACE_SECONDS": "1",
            "SLUICEGATE_CHECK_SECONDS": "0.5",
            "SLUICEGATE_MIN_COUNT": "10",
            "SLUICEGATE_MAX_DISAGREEMENT": "0.5",
        }

    @property
    def process(self) -> subprocess.Popen[bytes]:
        assert self._process is not None
        return self._process

    def launch(self) -> None:
        """Start the process."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "services.monitor"],
                env=self._environment,
                stdout=log,
                stderr=log,
            )

    def start(self) -> None:
        """Start and wait until it is ready."""
        self.launch()
        eventually(lambda: self.get("/readyz").startswith("ready") or not self.alive, 120, self.log)
        assert self.alive, self.log.read_text(errors="replace")[-3000:]

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self.process.poll() is None

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        self.process.terminate()
        return self.process.wait(20)

    def kill(self) -> None:
        """SIGKILL, as a crash would; nothing where it has ended or never began."""
        if self._process is None:
            return
        self.process.kill()
        self.process.wait()

    def get(self, path: str) -> str:
        """The answer of its health server, empty where there is none."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as response:
                return str(response.read().decode())
        except urllib.error.HTTPError as error:
            return str(error.read().decode())
        except OSError:
            return ""

    def metric(self, sample: str) -> float:
        """A sample of /metrics as it is written there, 0 where there is none."""
        for line in self.get("/metrics").splitlines():
            if line.startswith(f"{sample} "):
                return float(line.rpartition(" ")[2])
        return 0.0


def eventually(holds: Callable[[], bool], seconds: float, log: Path | None = None) -> None:
    """Wait until it holds; fails after so many seconds, with the end of the log."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            shown = log.read_text(errors="replace")[-3000:] if log else ""
            raise AssertionError(f"did not come to hold within {seconds} s\n{shown}")
        time.sleep(0.1)
