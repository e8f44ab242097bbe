"""Counters on a real Redis: what a batch brings counts once, other workers see it, and without Redis all goes on."""

import os
import signal
import time
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from infra.local.ports import free_ports
from infra.local.redis import Redis
from services.events.codec import encode
from services.events.topics import load_topics
from services.events.types import Author, ContentDecided, ContentReported, Item
from services.router.core.items import Requested
from services.router.counters import Counters, connect
from services.router.settings import RouterSettings
from services.router.stage import Kept, RouterStage
from services.runtime.records import Outgoing, Record
from services.runtime.states import Shard, States
from tests.unit.policy.making import DOCUMENT, scored
from tests.unit.router.making import NOW
from tests.unit.router.test_stage import record, released

TOPICS = load_topics()
MINUTE = 60_000
RULES = [
    {"name": "burst", "when": "counters.author.items_10m > 3", "then": "limit"},
    {"name": "again", "when": "counters.author.removals_7d > 1", "then": "review"},
]
LISTED = ["source.items_10m", "text.items_1d", "author.reviews_1h", "author.reports_1h"]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    server = Redis(tmp_path_factory.mktemp("counters-redis"), *free_ports(1))
    server.start()
    yield server
    server.kill()


@pytest.fixture
def url(server: Redis) -> str:
    with connect(server.url, 5000) as client:
        client.flushall()
    return server.url


class Worker:
    """A router of two shards as the loop drives it, on this Redis."""

    def __init__(self, url: str, timeout_ms: int = 5000, **changes: Any) -> None:
        self.time = 0.0
        counters = Counters(connect(url, timeout_ms), lambda: self.time)
        self.stage = RouterStage(RouterSettings(shards=2), TOPICS, counters)
        document = DOCUMENT | {"audit": {**DOCUMENT["audit"], "share": 0}, "rules": RULES, "counters": LISTED}
        self.stage.broadcast(record("policy.released", "live", released(yaml.safe_dump(document | changes))))
        self.states: States[Kept] = States()
        self.states.shards = {0: Shard(), 1: Shard()}

    def handle(self, *batch: Record, commit: bool = True) -> list[Any]:
        effects = [e for e in self.stage.handle(batch, self.states, NOW) if isinstance(e, Outgoing)]
        if commit:
            self.states.apply()
            self.stage.committed(effects)
        else:
            self.states.drop()
        return [effect.event for effect in effects]

    def flush(self) -> None:
        self.time += 2
        list(self.stage.reports(NOW))


def post(offset: int, author: str = "anna", shard: int = 0, at: int = NOW, **changes: Any) -> Record:
    item_id = changes.pop("item_id", f"{shard}-{offset}")
    event = scored(item_id=item_id, item=Item(kind="post", text="a", author=Author(id=author)), **changes)
    base = "content.classified"
    return Record(base, base, shard, offset, f"demo/{item_id}".encode(), encode(event), at)


def report(offset: int, author: str) -> Record:
    event = ContentReported(
        event_id="6" * 32,
        occurred_at="2026-01-31T12:00:00.000Z",
        source="demo",
        item_id="0-1",
        revision=1,
        reporter="eve",
        item=Item(kind="post", author=Author(id=author)),
    )
    return Record("content.reported", "content.reported", 0, offset, b"demo/0-1", encode(event), NOW)


def counts(events: list[Any]) -> list[dict[str, Any] | None]:
    return [e.circumstances.counters for e in events if isinstance(e, ContentDecided)]


def seen(events: list[Any], name: str) -> list[int | None]:
    return [None if found is None else found.get(name) for found in counts(events)]


def test_every_item_sees_what_came_before_it_and_rules_decide_by_it(url: str) -> None:
    events = Worker(url).handle(*(post(offset) for offset in range(5)), post(5, author="bert"))
    assert seen(events, "author.items_10m") == [1, 2, 3, 4, 5, 1]
    assert seen(events, "source.items_10m") == [1, 2, 3, 4, 5, 6]
    assert [(e.action, e.rule) for e in events[3:5]] == [("limit", "rule burst")] * 2
    assert set(counts(events)[0] or {}) == {"author.items_10m", "author.removals_7d", *LISTED}


def test_a_batch_that_is_handled_again_counts_once(url: str) -> None:
    worker = Worker(url)
    batch = [post(offset) for offset in range(3)]
    worker.handle(*batch, commit=False)
    assert seen(worker.handle(*batch), "author.items_10m") == [1, 2, 3]
    other = Worker(url)  # killed before the commit, it starts again, and its batch is another
    assert seen(other.handle(*batch, post(3), post(4)), "author.items_10m") == [1, 2, 3, 4, 5]
    assert seen(other.handle(post(5)), "author.items_10m") == [6]


def test_another_worker_sees_what_was_counted(url: str) -> None:
    Worker(url).handle(post(0), post(1))
    assert seen(Worker(url).handle(post(0, shard=1)), "author.items_10m") == [3]


def test_a_batch_of_more_subjects_than_redis_is_asked_for_at_once(url: str) -> None:
    authors = [f"a{number}" for number in range(2_100)]  # two calls of a thousand, and some
    for minute in range(2):
        batch = [
            post(minute * len(authors) + at, author=author, at=NOW + minute * MINUTE)
            for at, author in enumerate(authors)
        ]
        assert seen(Worker(url).handle(*batch), "author.items_10m") == [minute + 1] * len(authors)


def test_a_window_ends(url: str) -> None:
    worker = Worker(url)
    worker.handle(post(0), post(1, at=NOW + 5 * MINUTE))
    events = worker.handle(post(2, at=NOW + 11 * MINUTE), post(3, at=NOW + 17 * MINUTE))
    assert seen(events, "author.items_10m") == [2, 2]
    assert seen(events, "text.items_1d") == [3, 4]


def test_what_became_of_items_counts_once_it_is_committed(url: str) -> None:
    worker = Worker(url)
    worker.handle(post(0, scores=scored(toxicity=0.99).scores), commit=False)
    events = worker.handle(
        *(post(offset, author=f"a{offset // 3}", scores=scored(toxicity=0.99).scores) for offset in range(4))
    )
    assert seen(events, "author.removals_7d") == [0, 1, 2, 0], "what was aborted does not count"
    (asked,) = (event for event in events if isinstance(event, Requested))
    assert asked.selection.reason == "rule" and asked.item_id == "0-2", "two removals before it"
    assert seen(worker.handle(post(4, author="a0")), "author.reviews_1h") == [1]
    worker.handle(post(5, author="carl", scores=scored(toxicity=0.99).scores))
    worker.flush()
    assert seen(Worker(url).handle(post(0, author="carl", shard=1)), "author.removals_7d") == [1]


def test_all_batches_of_a_transaction_count(url: str) -> None:
    """A record that makes the stage raise has the others of its batch handled one by one, and committed together."""
    worker = Worker(url)
    effects = [
        effect
        for offset in range(3)
        for effect in worker.stage.handle(
            [post(offset, scores=scored(toxicity=0.99).scores)], worker.states, NOW
        )
        if isinstance(effect, Outgoing)
    ]
    worker.states.apply()
    worker.stage.committed(effects)
    assert seen(worker.handle(post(3)), "author.removals_7d") == [3]


def test_reports_count_and_leave_the_item_alone(url: str) -> None:
    worker = Worker(url)
    assert worker.handle(report(0, "anna"), report(1, "anna")) == []
    assert seen(worker.handle(report(2, "bert"), post(0)), "author.reports_1h") == [2]


def test_a_topic_made_anew_counts_from_its_beginning(url: str) -> None:
    Worker(url).handle(post(1000), post(1001))
    assert seen(Worker(url).handle(post(0, at=NOW + 1)), "author.items_10m") == [3]


def test_without_redis_counters_are_null_and_the_stream_goes_on(server: Redis, url: str) -> None:
    worker = Worker(url, timeout_ms=200)
    assert seen(worker.handle(post(0)), "author.items_10m") == [1]
    server.kill()
    try:
        for offset in range(1, 6):
            assert counts(worker.handle(post(offset))) == [None], "no counter, no rule, and a decision"
        started = time.monotonic()
        for offset in range(6, 500):
            worker.handle(post(offset))
        assert time.monotonic() - started < 30, "it is not asked again for every batch"
    finally:
        server.start()
    worker.time += 1
    assert seen(worker.handle(post(501)), "author.items_10m") == [1], "what came meanwhile is not counted"


def test_a_redis_that_hangs_holds_up_one_batch_at_most(server: Redis, url: str) -> None:
    worker = Worker(url, timeout_ms=300)
    pid = int(connect(url, 5000).info("server")["process_id"])
    os.kill(pid, signal.SIGSTOP)
    try:
        started = time.monotonic()
        assert counts(worker.handle(post(0))) == [None]
        waited = time.monotonic() - started
        assert 0.2 < waited < 20
        assert counts(worker.handle(post(1))) == [None]
    finally:
        os.kill(pid, signal.SIGCONT)
    worker.time += 1
    assert seen(worker.handle(post(2)), "source.items_10m")[0] is not None


def test_a_policy_without_counters_asks_redis_nothing(url: str) -> None:
    worker = Worker(url, rules=[], counters=[])
    assert counts(worker.handle(post(0))) == [None]
    with connect(url, 5000) as client:
        assert client.dbsize() == 0
