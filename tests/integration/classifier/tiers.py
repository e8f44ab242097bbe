"""Both tiers of the classifier and the router as processes on a broker of their own, with a slow model built here."""

import json
import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import yaml

from infra import topics as kafka_topics
from infra.local.kafka import Kafka
from infra.local.ports import free_ports
from services.cli.policies import release_policy
from services.events.ids import item_key
from services.events.topics import load_topics
from services.events.types import ContentSubmitted, Item
from services.retrainer.release import release_bundle
from services.runtime.acknowledged import AcknowledgedProducer
from services.runtime.kafka import admin
from services.runtime.publishing import Publisher
from services.runtime.reading import whole_topics
from services.runtime.settings import Settings
from tests.unit.policy.making import DOCUMENT

STARTER = Path(__file__).parents[3] / "infra" / "starter"
UNSURE = "that was dumb"  # toxicity 0.93 says the starter model: removed; the tiny one knows none of the words: allowed
SURE = "Have a nice day"
COMMANDS = {
    "fast": ["services.classifier"],
    "slow": ["services.classifier", "--tier", "slow"],
    "router": ["services.router"],
}


class Tiers:
    """The loop from content.submitted to content.decided."""

    def __init__(self, kafka: Kafka, folder: Path) -> None:
        self.folder = folder
        self.settings = Settings(kafka=kafka.bootstrap, shards=2, var=folder / "var")
        self.admin = admin(self.settings)
        self._topics = load_topics()
        kafka_topics.apply(self.admin, kafka_topics.plan(self._topics, 2, sources=["demo"]))
        release_bundle(self.settings, STARTER, released_by="test", reason="test")
        path = folder / "policy.yaml"
        audit = {"share": 0, "queue": "audit", "supersede": False}
        path.write_text(yaml.safe_dump({**DOCUMENT, "audit": audit}))
        release_policy(self.settings, path, "cli:test", "for the test")
        self._publisher, self._producer = Publisher("test", self._topics), AcknowledgedProducer(self.settings)
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self._ports = dict(zip(COMMANDS, free_ports(len(COMMANDS)), strict=True))
        self._log = (folder / "processes.log").open("ab")
        self.wait_seconds = 300.0

    def start(self, *names: str) -> None:
        """Start processes; the fast tier is told to wait `wait_seconds` for the slow one."""
        file = self.folder / "classifier.yaml"
        uncertain = {"probability": [0.2, 0.97], "categories": ["toxicity"]}
        slow = {"uncertain": uncertain, "share": 1.0, "burst": 1000, "wait_seconds": self.wait_seconds}
        file.write_text(yaml.safe_dump({"slow_tier": slow}))
        for name in names:
            env = os.environ | {
                "SLUICEGATE_KAFKA": self.settings.kafka,
                "SLUICEGATE_VAR": str(self.settings.var),
                "SLUICEGATE_SHARDS": "2",
                "SLUICEGATE_TIMER_CHECK_MS": "20",
                "SLUICEGATE_CLASSIFIER_FILE": str(file),
                "SLUICEGATE_METRICS_PORT": str(self._ports[name]),
            }
            command = [sys.executable, "-m", *COMMANDS[name]]
            self.processes[name] = subprocess.Popen(command, env=env, stdout=self._log, stderr=self._log)

    def kill(self, name: str) -> None:
        """End a process by SIGKILL, for good."""
        process = self.processes.pop(name)
        process.kill()
        process.wait(10)

    def ready(self, name: str) -> bool:
        """Whether a process is."""
        return self._answer(name, "readyz").startswith("ready")

    def dropped(self, name: str, reason: str) -> int:
        """How many records a process dropped for a reason since it started."""
        label = f'sluicegate_dropped_total{{reason="{reason}"}} '
        lines = [line for line in self._answer(name, "metrics").splitlines() if line.startswith(label)]
        return round(float(lines[0].removeprefix(label))) if lines else 0

    def submit(self, item_id: str, text: str | None, revision: int = 1) -> None:
        """Publish an item, or with no text its withdrawal."""
        item = None if text is None else Item(kind="post", text=text)
        event = ContentSubmitted(
            source="demo", item_id=item_id, revision=revision, withdrawn=text is None, item=item
        )
        self._producer.send_all([self._publisher.outgoing(event, item_key("demo", item_id))], timeout=30)

    def events(self, base: str, *items: str) -> list[dict[str, Any]]:
        """Every committed event of a topic about these items, as plain JSON."""
        names = self._topics.names(self._topics.topics[base])
        with closing(whole_topics(self.settings, "test", names)) as reader:
            found = [json.loads(r.value) for r in reader.to_end() if r.value is not None]
        return [event for event in found if event["item_id"] in items]

    def decided(self, *items: str) -> list[tuple[str, int, str, str | None]]:
        """(item, revision, action, how it went with the slow tier) of every decision on these items."""
        return sorted(
            (e["item_id"], e["revision"], e["action"], e["circumstances"].get("slow"))
            for e in self.events("content.decided", *items)
        )

    def stop(self) -> None:
        """End everything that was started here."""
        for process in self.processes.values():
            process.kill()
        for process in self.processes.values():
            process.wait(10)
        self._producer.close()
        self._log.close()

    def _answer(self, name: str, path: str) -> str:
        try:
            return httpx.get(f"http://127.0.0.1:{self._ports[name]}/{path}", timeout=10).text
        except httpx.TransportError:
            return ""
