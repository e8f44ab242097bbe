"""Fifty copies on the shards of a router: one is shown to one person, and all are decided, through any kill."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis as Client

from infra.local.kafka import Kafka
from infra.local.ports import free_ports
from infra.local.redis import Redis
from services.review.queue import Queue, Queues
from services.review.settings import ApiSettings
from tests.integration.review.running import RunningApi, until
from tests.integration.review.world import PASSWORD, Person, login
from tests.integration.router.running import Line
from tests.unit.policy.making import DOCUMENT, scored

COPIES = 50
QUEUES = {name: {**of, "votes": 1} for name, of in DOCUMENT["queues"].items()}
AUDIT = {"share": 0, "queue": "audit", "supersede": True}


class Feed:
    """`python -m services.review feed`, which can be killed."""

    def __init__(self, line: Line, redis: Redis) -> None:
        values = {
            "kafka": line.settings.kafka,
            "redis_url": redis.url,
            "metrics_port": 0,
            "metadata_refresh_ms": 500,
            "review_tick_ms": 50,
            "acknowledge_ms": 500,
            "review_copies_ms": 600_000,  # longer than a router that was killed takes to come back
        }
        self._environment = os.environ | {f"SLUICEGATE_{key.upper()}": str(v) for key, v in values.items()}
        self._log = (line.folder / "feed.log").open("ab")
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "services.review", "feed"]
        self.process = subprocess.Popen(command, env=self._environment, stdout=self._log, stderr=self._log)

    def kill(self) -> None:
        """SIGKILL, and start it again."""
        self.process.kill()
        self.process.wait(10)
        self.start()

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)
        self._log.close()


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Line]:
    """A router and an adjudicator on a broker of their own."""
    folder = tmp_path_factory.mktemp("line")
    broker = Kafka(folder / "kafka", *free_ports(2))
    broker.start()
    line = Line(broker, folder)
    line.release(audit=AUDIT, queues=QUEUES)
    line.start("router", "adjudicator")
    yield line
    line.stop()
    broker.kill()


@pytest.fixture
def feed(line: Line, review_redis: Redis) -> Iterator[Feed]:
    with Client.from_url(review_redis.url) as client:
        client.flushall()
    feed = Feed(line, review_redis)
    yield feed
    feed.stop()


@pytest.fixture
def api(line: Line, feed: Feed, review_redis: Redis, tmp_path: Path) -> Iterator[RunningApi]:
    database = f"sqlite:///{tmp_path}/accounts.db"
    common = {"kafka": line.settings.kafka, "redis_url": review_redis.url, "database_url": database}
    api = RunningApi(ApiSettings(**common, review_console=tmp_path / "none", review_undo_seconds=0.5))
    yield api
    api.stop()


@pytest.fixture
def people(api: RunningApi) -> Iterator[list[Person]]:
    found = []
    for name in ("ada", "grace"):
        api.accounts.create(name, "moderator", PASSWORD)
        found.append(login(api.url, name, "general"))
    yield found
    for person in found:
        person.http.close()


@pytest.mark.timeout(400)
@pytest.mark.parametrize("victim", ["nobody", "router", "adjudicator", "feed", "redis"])
def test_fifty_copies_are_shown_once_and_decided_together(
    line: Line, feed: Feed, people: list[Person], review_redis: Redis, victim: str
) -> None:
    ada, grace = people
    board: Queue = Queues(Client.from_url(review_redis.url)).get("general")
    names = [f"{victim}-{number}" for number in range(COPIES)]
    text = f"{sum(victim.encode()):032x}"
    line.send(*(scored(toxicity=0.5, item_id=name, text_hash=text) for name in names))
    until(
        lambda: board.look().tasks == COPIES and board.look().state == "ready",
        "every question is in the queue",
    )
    assert (board.look().depth, board.look().waiting) == (1, COPIES - 1)
    reader = line.reader("review.requested")
    keys = {f"demo/{name}".encode() for name in names}
    assert {record.partition for record in reader.to_end() if record.key in keys} == {0, 1}
    reader.close()

    task = ada.claim()
    assert task["copies_waiting"] == COPIES - 1 and grace.claim() is None
    assert ada.decide(task, categories=["toxicity"]).status_code == 200
    if victim in ("router", "adjudicator"):
        line.kill(victim)
    elif victim == "feed":
        feed.kill()
    elif victim == "redis":
        Client.from_url(review_redis.url).flushall()

    def over() -> bool:
        answer = grace.http.post("/v1/queues/general/claim", json={})
        assert answer.status_code in (204, 404, 503), f"a second copy was shown: {answer.text}"
        status = board.look()
        return status.state == "ready" and status.tasks == 0

    until(over, "all are decided")
    finals = [e for e in line.scan("content.decided") if e["item_id"] in names and e["final"]]
    assert Counter(e["item_id"] for e in finals) == Counter(names)
    assert {(e["action"], e["decision_seq"]) for e in finals} == {("remove", 1)}
    assert Counter(e["basis"] for e in finals) == {"human": 1, "duplicate": COPIES - 1}
    assert len([e for e in line.scan("review.completed") if e["item_id"] in names]) == 1
