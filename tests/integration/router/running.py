"""A broker of its own with all topics, and the router, the adjudicator and clusters as processes on it."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
import yaml

from infra import topics as kafka_topics
from infra.local.kafka import Kafka
from infra.local.ports import free_ports
from services.cli.policies import release_policy
from services.events.ids import item_key
from services.events.instants import from_millis
from services.events.topics import load_topics
from services.events.types import ReviewCompleted
from services.runtime.acknowledged import AcknowledgedProducer
from services.runtime.clock import now_ms
from services.runtime.kafka import admin
from services.runtime.publishing import Publisher
from services.runtime.reading import WholeTopics, whole_topics
from services.runtime.settings import Settings
from tests.unit.policy.making import DOCUMENT

SHARDS = 2
SERVICES = ("router", "adjudicator", "clusters")
TOPICS = load_topics()


def wait_for(what: str, condition: Callable[[], object], seconds: float = 120) -> None:
    """Return when `condition` holds; fail naming `what` when it does not in time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            pytest.fail(f"waited {seconds} s for {what}")
        time.sleep(0.05)


class Line:
    """The part of the loop from content.classified to content.decided; the test plays classifier and people."""

    def __init__(self, kafka: Kafka, folder: Path) -> None:
        self.folder = folder
        self.settings = Settings(kafka=kafka.bootstrap, shards=SHARDS, var=folder)
        self.admin = admin(self.settings)
        kafka_topics.apply(self.admin, kafka_topics.plan(TOPICS, SHARDS))
        self.publisher = Publisher("test", TOPICS)
        self.producer = AcknowledgedProducer(self.settings)
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.ports = dict(zip(SERVICES, free_ports(len(SERVICES)), strict=True))
        self.logs = {name: (folder / f"{name}.log").open("ab") for name in SERVICES}

    def release(self, **changes: Any) -> str:
        """Make the trial policy live, with changes; its version."""
        path = self.folder / "policy.yaml"
        path.write_text(yaml.safe_dump({**DOCUMENT, **changes}))
        return release_policy(self.settings, path, "cli:test", "for the test").policy_version

    def start(self, *names: str) -> None:
        """Start services, as processes."""
        env = os.environ | {
            "SLUICEGATE_KAFKA": self.settings.kafka,
            "SLUICEGATE_SHARDS": str(SHARDS),
            "SLUICEGATE_TIMER_CHECK_MS": "20",
            "SLUICEGATE_SAMPLING_SALT": "trial",
            "SLUICEGATE_VAR": str(self.folder),
        }
        for name in names:
            env["SLUICEGATE_METRICS_PORT"] = str(self.ports[name])
            command = [sys.executable, "-m", f"services.{name}"]
            self.processes[name] = subprocess.Popen(
                command, env=env, stdout=self.logs[name], stderr=self.logs[name]
            )

    def kill(self, name: str) -> None:
        """End a service by SIGKILL, and start it again as the supervisor would."""
        self.processes[name].kill()
        self.processes[name].wait(10)
        self.start(name)

    def readiness(self, name: str) -> str:
        """What /readyz of a service says; empty while it does not answer."""
        try:
            return httpx.get(f"http://127.0.0.1:{self.ports[name]}/readyz").text.strip()
        except httpx.TransportError:
            return ""

    def decided(self, item_id: str) -> list[dict[str, Any]]:
        """The decisions on an item."""
        return [event for event in self.scan("content.decided") if event["item_id"] == item_id]

    def asked(self, item_id: str) -> list[dict[str, Any]]:
        """The questions about an item."""
        return [event for event in self.scan("review.requested") if event["item_id"] == item_id]

    def stop(self) -> None:
        """End everything that was started here."""
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10)
        self.producer.close()
        for log in self.logs.values():
            log.close()

    def send(self, *events: msgspec.Struct) -> None:
        """Produce events and wait for the acknowledgement."""
        self.producer.send_all(
            [self.publisher.outgoing(e, item_key(e.source, e.item_id)) for e in events],  # type: ignore[attr-defined]
            timeout=30,
        )

    def reader(self, *bases: str) -> WholeTopics:
        """A read-committed reader of all topics of these bases."""
        names = [name for base in bases for name in TOPICS.names(TOPICS.topics[base])]
        return whole_topics(self.settings, "test", names)

    def scan(self, *bases: str) -> list[dict[str, Any]]:
        """Every committed record of these topics, as plain JSON; `None` values are left out."""
        with closing(self.reader(*bases)) as reader:
            return [json.loads(r.value) for r in reader.to_end() if r.value is not None]

    def dead_letters(self) -> list[dict[str, str]]:
        """The headers of every dead letter: where and why."""
        with closing(self.reader("dead.letter")) as reader:
            letters = list(reader.to_end())
        return [{name: value.decode("latin1") for name, value in letter.headers} for letter in letters]


def verdict_on(
    request: dict[str, Any], reviewer: str, action: str, seat: int = 0, undo_ms: int = 200, **changes: Any
) -> ReviewCompleted:
    """What a person says of a request."""
    now = now_ms()
    verdict_id = os.urandom(16).hex()
    fields: dict[str, Any] = {
        "event_id": verdict_id,
        "occurred_at": from_millis(now),
        "verdict_id": verdict_id,
        "reviewer": reviewer,
        "seat": seat,
        "action": action,
        "categories": ("toxicity",) if action == "remove" else (),
        "final_at": from_millis(now + undo_ms),
    }
    for name in ("task_id", "source", "item_id", "revision", "decision_seq", "queue"):
        fields[name] = request[name]
    return ReviewCompleted(**(fields | changes))


def retraction_of(verdict: ReviewCompleted) -> ReviewCompleted:
    """The same verdict, taken back at once."""
    return msgspec.structs.replace(
        verdict, event_id=os.urandom(16).hex(), retraction=True, action=None, categories=()
    )


def of_kind(events: Iterable[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    """Those of one schema."""
    return [event for event in events if event["schema"] == f"{name}.v1"]
