"""Ingest as a process of its own, what is released to it, and an independent reader of what became of its items."""

import itertools
import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import redis
import yaml

from infra.local.ports import free_ports
from services.cli.keys import create_key
from services.cli.policies import release_policy
from services.policy.counters import COUNTERS, STORED
from services.runtime.clock import now_ms
from services.runtime.kafka import admin
from services.runtime.reading import whole_topics
from services.runtime.records import Record
from services.runtime.settings import Settings
from tests.integration.analytics.running import World, wait_until

STARTER = Path(__file__).parents[3] / "infra" / "starter"
SHARE = 0.5  # of audits, so that some of a few items are drawn and some are not
INSULT = "you are a stupid idiot and nobody likes you"
HARMLESS = "Have a nice day, see you at lunch"
BORDERLINE = "what a silly goose"


class Line:
    """Ingest as a process, and an independent reader of what became of its items."""

    def __init__(self, world: World, client: httpx.Client) -> None:
        self.world, self.client = world, client
        self.key = create_key(Settings(**world.settings()), "demo", 100_000)
        client.headers["Authorization"] = f"Bearer {self.key}"
        self.settings = Settings(**world.settings())
        self.admin = admin(self.settings)
        self._numbers = itertools.count()  # of probes: one asked again is told what it was told

    def release(self, **changes: Any) -> str:
        """Make the starter policy live, with changes; its version, once ingest decides by it."""
        document = yaml.safe_load((STARTER / "policy.yaml").read_text("utf-8"))
        document |= {"audit": {**document["audit"], "share": SHARE}} | changes
        path = self.world.var / "policy.yaml"
        path.write_text(yaml.safe_dump(document))
        version = release_policy(self.settings, path, "cli:test", "for the test").policy_version

        def live() -> bool:
            answer = self.moderate(f"probe-{next(self._numbers)}", HARMLESS)
            return answer.status_code == 200 and answer.json()["policy_version"] == version

        wait_until(live, 60, f"{version} is live in ingest")
        return version

    def moderate(self, item_id: str, text: str, **more: Any) -> httpx.Response:
        body = {"item_id": item_id, "item": {"kind": "post", "text": text}} | more
        return self.client.post("/v1/moderate", json=body)

    def records(self, *topics: str) -> list[Record]:
        with closing(whole_topics(self.settings, "test", topics)) as reader:
            return list(reader.to_end())

    def events(self, topic: str, item_id: str = "") -> list[dict[str, Any]]:
        """What stands on a topic of one item, or of all."""
        found = [json.loads(record.value) for record in self.records(topic) if record.value]
        return [event for event in found if not item_id or event["item_id"] == item_id]

    def count(self, name: str, subject: str, times: int) -> None:
        """As the router would have counted just now."""
        bucket = COUNTERS[name].window.bucket(now_ms())
        with redis.Redis.from_url(self.world.redis_url) as client:
            client.hincrby(f"{STORED}{name}:{bucket}", subject, times)

    def redis_keys(self) -> list[bytes]:
        with redis.Redis.from_url(self.world.redis_url) as client:
            return list(client.scan_iter())

    @contextmanager
    def loop(self) -> Iterator[None]:
        """Classifier and router."""
        ports = free_ports(2)
        with (
            self.world.process("services.classifier", port=ports[0], metrics_port=ports[0]),
            self.world.process("services.router", port=ports[1], metrics_port=ports[1]),
        ):
            yield


@contextmanager
def running(world: World) -> Iterator[Line]:
    """Ingest, with a key of source `demo`."""
    with world.ingest() as client:
        yield Line(world, client)
