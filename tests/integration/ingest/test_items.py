"""Items over HTTP, on the real broker and Redis, up to where they stand according to analytics."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from infra.local.kafka import Kafka
from infra.local.ports import free_ports
from infra.local.redis import Redis
from services.cli.keys import create_key, revoke_key
from services.events.partition import partition_for
from services.runtime.apikeys import KeyStore
from services.runtime.settings import Settings
from tests.integration.analytics.running import World, committed, wait_until


@pytest.fixture(scope="module")
def ingest(world: World) -> Iterator[httpx.Client]:
    """One process for all tests: each has items of its own."""
    with world.ingest() as client:
        client.headers["Authorization"] = f"Bearer {create_key(Settings(**world.settings()), 'demo', 10_000)}"
        yield client


def item(item_id: str, text: str = "hello", **more: Any) -> dict[str, Any]:
    return {"item_id": item_id, "item": {"kind": "post", "text": text}} | more


def records(world: World, item_id: str, source: str = "demo") -> list[tuple[int, dict[str, Any]]]:
    """Partition and event of each record of an item."""
    key = f"{source}/{item_id}".encode()
    found = sorted((place, value) for place, (k, value) in committed(world.kafka).items() if k == key)
    return [
        (place[1], json.loads(value or b"null")) for place, value in found if place[0].startswith("content.")
    ]


def is_problem(answer: httpx.Response, status: int, pointer: str | None = None) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"]
    assert answer.json().get("pointer") == pointer


def test_an_accepted_item_is_in_kafka_once_under_its_key(world: World, ingest: httpx.Client) -> None:
    answer = ingest.post("/v1/items", json=item("a/b@1"))
    assert answer.status_code == 202
    again = ingest.post("/v1/items", json=item("a/b@1"))
    assert (again.status_code, again.json()) == (202, answer.json())
    ((partition, event),) = records(world, "a/b@1")
    assert event["event_id"] == answer.json()["event_id"]
    assert (event["source"], event["revision"], event["item"]["text"]) == ("demo", 1, "hello")
    assert partition == partition_for(b"demo/a/b@1", 4)


def test_a_revision_is_not_taken_twice_with_other_content(world: World, ingest: httpx.Client) -> None:
    assert ingest.post("/v1/items", json=item("edited")).status_code == 202
    is_problem(ingest.post("/v1/items", json=item("edited", "other")), 409, "/revision")
    assert ingest.post("/v1/items", json=item("edited", "other", revision=2)).status_code == 202
    assert [event["revision"] for _, event in records(world, "edited")] == [1, 2]


@pytest.mark.parametrize(
    ("body", "status", "pointer"),
    [
        (b"{", 400, None),
        (b"\xff", 400, None),
        (b"[]", 422, None),
        (b'{"item_id": "x"}', 422, "/item"),
        (b'{"item": {"kind": "post"}}', 422, "/item_id"),
        (b'{"item_id": "x", "item": {}}', 422, "/item/kind"),
        (b'{"item_id": "x", "item": {"kind": "post", "text": 3}}', 422, "/item/text"),
        (b'{"item_id": "x", "item": {"kind": "post", "media": [{"url": 1}]}}', 422, "/item/media/0/url"),
        (b'{"item_id": "x y", "item": {"kind": "post"}}', 422, "/item_id"),
        (b'{"item_id": "x", "revision": 0, "item": {"kind": "post"}}', 422, "/revision"),
        (
            b'{"item_id": "x", "item": {"kind": "post", "submitted_at": "2026-02-31T00:00:00Z"}}',
            422,
            "/item/submitted_at",
        ),
        (b'{"schema": "content_submitted.v2", "item_id": "x", "item": {"kind": "post"}}', 422, "/schema"),
        (b'{"source": "other", "item_id": "x", "item": {"kind": "post"}}', 403, "/source"),
        (b'{"item_id": "x", "item": {"kind": "post", "text": "\\ud800"}}', 400, None),
    ],
)
def test_what_is_malformed_is_a_problem_with_its_field(
    ingest: httpx.Client, body: bytes, status: int, pointer: str | None
) -> None:
    is_problem(ingest.post("/v1/items", content=body), status, pointer)


def test_what_is_too_large_is_refused(world: World, ingest: httpx.Client) -> None:
    is_problem(ingest.post("/v1/items", json=item("big", "x" * 2_000_000)), 413)
    is_problem(ingest.post("/v1/items", json=item("big", "x" * 262_145)), 413, "/item/text")
    is_problem(ingest.post("/v1/items", json=item("big", "é" * 200_000)), 413, "/item")

    def endless() -> Iterator[bytes]:
        for _ in range(20_000):  # 1.3 GB, if anybody read it
            yield b"x" * 65_536

    started = time.monotonic()
    with suppress(httpx.TransportError):  # the connection closed on us in the midst of it is as good
        assert ingest.post("/v1/items", content=endless()).status_code == 413
    assert time.monotonic() - started < 60
    assert ingest.post("/v1/items", json=item("big", "x" * 200_000)).status_code == 202
    assert len(records(world, "big")) == 1


def test_each_line_of_a_batch_has_its_own_result(world: World, ingest: httpx.Client) -> None:
    good = [json.dumps(item(f"line-{number}")).encode() for number in range(3)]
    lines = [
        good[0],
        b"{broken",
        good[1],
        b'{"source":"x","item_id":"a","item":{"kind":"p"}}',
        b"",
        good[0],
        good[2],
    ]
    answer = ingest.post("/v1/items:batch", content=b"\n".join(lines) + b"\n")
    assert answer.status_code == 200
    results = answer.json()["results"]
    assert [each["line"] for each in results] == [1, 2, 3, 4, 5, 6, 7]
    assert [each["status"] for each in results] == [202, 400, 202, 403, 400, 202, 202]
    assert answer.json()["accepted"] == 4
    assert results[3]["pointer"] == "/source"
    for number in range(3):
        assert {e["event_id"] for _, e in records(world, f"line-{number}")} <= {
            r.get("event_id") for r in results
        }
    is_problem(ingest.post("/v1/items:batch", content=b"{}\n" * 1001), 413)
    is_problem(ingest.post("/v1/items:batch", content=b"x" * 10_000_001), 413)
    is_problem(ingest.post("/v1/items:batch", content=b""), 400)


def test_of_two_contents_of_a_revision_in_one_batch_the_second_is_refused(
    world: World, ingest: httpx.Client
) -> None:
    lines = [json.dumps(item("twins", text)).encode() for text in ("first", "other", "first")]
    results = ingest.post("/v1/items:batch", content=b"\n".join(lines)).json()["results"]
    assert [each["status"] for each in results] == [202, 409, 202]
    is_problem(ingest.post("/v1/items", json=item("twins", "other")), 409, "/revision")
    assert ingest.post("/v1/items", json=item("twins", "first")).status_code == 202
    assert {event["item"]["text"] for _, event in records(world, "twins")} == {"first"}


def test_of_many_contents_of_a_revision_at_one_instant_only_one_is_accepted(
    world: World, ingest: httpx.Client
) -> None:
    texts = [f"text {number % 4}" for number in range(16)]
    with ThreadPoolExecutor(len(texts)) as pool:
        answers = list(pool.map(lambda text: ingest.post("/v1/items", json=item("race", text)), texts))
    accepted = {text for text, answer in zip(texts, answers, strict=True) if answer.status_code == 202}
    assert len(accepted) == 1
    assert {answer.status_code for answer in answers} == {202, 409}
    assert {event["item"]["text"] for _, event in records(world, "race")} == accepted


def test_a_key_is_needed_and_ends_within_seconds(world: World, ingest: httpx.Client) -> None:
    settings = Settings(**world.settings())
    is_problem(httpx.post(f"{ingest.base_url}/v1/items", json=item("k")), 401)
    wrong = {"Authorization": "Bearer sk_wrong"}
    is_problem(ingest.post("/v1/items", json=item("k"), headers=wrong), 401)
    is_problem(ingest.get("/v1/items/k", headers=wrong), 401)
    is_problem(ingest.request("DELETE", "/v1/items/k", headers=wrong), 401)
    secret = create_key(settings, "demo", 100, "short")
    own = {"Authorization": f"Bearer {secret}"}
    wait_until(lambda: ingest.post("/v1/items", json=item("k"), headers=own).status_code == 202, 90, "known")
    (key,) = [each for each in KeyStore(settings.database_url).all() if each.name == "short"]
    revoke_key(settings, key.key_id)
    wait_until(
        lambda: ingest.post("/v1/items", json=item("k"), headers=own).status_code == 401, 90, "revoked"
    )
    assert secret.encode() not in (world.var / "sluicegate.db").read_bytes()


def test_a_quota_holds_for_each_key(world: World, ingest: httpx.Client) -> None:
    secret = create_key(Settings(**world.settings()), "quota-source", 5)
    own = {"Authorization": f"Bearer {secret}"}
    wait_until(lambda: ingest.get("/v1/items/x", headers=own).status_code != 401, 90, "known")
    if time.time() % 60 > 50:
        wait_until(lambda: time.time() % 60 < 50, 90, "a minute that does not end in the midst of it")
    lines = b"\n".join(json.dumps(item(f"q-{number}")).encode() for number in range(8))
    answer = ingest.post("/v1/items:batch", content=lines, headers=own)
    assert answer.status_code == 429
    assert [each["status"] for each in answer.json()["results"]] == [202] * 5 + [429] * 3
    single = ingest.post("/v1/items", json=item("q-9"), headers=own)
    is_problem(single, 429)
    assert 1 <= int(single.headers["Retry-After"]) <= 60
    other = create_key(Settings(**world.settings()), "quota-source", 100)
    theirs = {"Authorization": f"Bearer {other}"}
    wait_until(lambda: ingest.get("/v1/items/x", headers=theirs).status_code != 401, 90, "known")
    changed = ingest.post("/v1/items", json=item("q-9", "what was refused took no revision"), headers=theirs)
    assert changed.status_code == 202
    assert ingest.post("/v1/items", json=item("other-key")).status_code == 202


def test_where_an_item_stands_and_its_withdrawal(world: World, ingest: httpx.Client) -> None:
    is_problem(ingest.get("/v1/items/nobody"), 503)  # analytics does not run, and Redis knows nothing
    assert ingest.post("/v1/items", json=item("dir/one")).status_code == 202
    assert ingest.get("/v1/items/dir/one").json()["state"] == "received"
    is_problem(ingest.delete("/v1/items/dir/one"), 503)
    with world.analytics() as analytics:
        wait_until(lambda: analytics.get("/v1/items/demo/dir/one").status_code == 200, 90, "stored")
        is_problem(ingest.get("/v1/items/nobody"), 404)
        found = ingest.get("/v1/items/dir/one").json()
        assert (found["state"], found["revision"], found["source"]) == ("received", 1, "demo")
        other = create_key(Settings(**world.settings()), "other-platform", 100)
        own = {"Authorization": f"Bearer {other}"}
        wait_until(
            lambda: ingest.get("/v1/items/dir/one", headers=own).status_code == 404, 5, "not of this source"
        )
        assert ingest.post("/v1/items", json=item("dir/one", "edit", revision=4)).status_code == 202
        assert ingest.get("/v1/items/dir/one").json()["revision"] == 4
        answer = ingest.delete("/v1/items/dir/one")
        assert (answer.status_code, answer.json()["revision"]) == (202, 4)
        is_problem(ingest.delete("/v1/items/nobody"), 404)
        is_problem(ingest.delete("/v1/items/nobody?revision=0"), 422, "/revision")
        wait_until(lambda: ingest.get("/v1/items/dir/one").json()["state"] == "withdrawn", 90, "withdrawn")
    _, event = records(world, "dir/one")[-1]
    assert (event["withdrawn"], event["revision"], event["item"]) == (True, 4, None)
    actions = {
        json.loads(v or b"{}")["action"]
        for (t, *_), (_, v) in committed(world.kafka).items()
        if t == "audit.recorded"
    }
    assert {"item.read", "item.withdrawn", "key.created"} <= actions


def test_without_kafka_nothing_is_accepted_and_after_it_all_is(tmp_path: Path, redis_url: str) -> None:
    port, controller_port = free_ports(2)
    broker = Kafka(tmp_path / "kafka", port, controller_port)
    broker.start()
    try:
        world = World(broker.bootstrap, redis_url, tmp_path)
        world.apply_topics()
        secret = create_key(Settings(**world.settings()), "demo", 1000)
        with world.ingest() as ingest:
            ingest.headers["Authorization"] = f"Bearer {secret}"
            assert ingest.post("/v1/items", json=item("before-outage")).status_code == 202
            broker.kill()
            started = time.monotonic()
            answer = ingest.post("/v1/items", json=item("outage"))
            assert time.monotonic() - started < 30
            is_problem(answer, 503)
            assert int(answer.headers["Retry-After"]) > 0
            lines = b"\n".join(json.dumps(item(f"outage-{number}")).encode() for number in range(3))
            batch = ingest.post("/v1/items:batch", content=lines)
            assert batch.status_code == 503
            assert [each["status"] for each in batch.json()["results"]] == [503] * 3
            wait_until(lambda: ingest.get("/readyz").status_code == 503, 90, "not ready")
            broker.start()
            wait_until(
                lambda: ingest.post("/v1/items", json=item("outage")).status_code == 202, 40, "accepted"
            )
            wait_until(lambda: ingest.get("/readyz").status_code == 200, 90, "ready")
        events = [event for _, event in records(world, "outage")]
        assert events
        assert len({event["event_id"] for event in events}) == 1
    finally:
        broker.kill()


def test_without_redis_items_are_accepted_and_it_is_counted(broker: Kafka, tmp_path: Path) -> None:
    server = Redis(tmp_path / "redis", *free_ports(1))
    server.start()
    world = World(broker.bootstrap, server.url, tmp_path)
    world.apply_topics()
    secret = create_key(Settings(**world.settings()), "demo", 1)
    with world.ingest() as ingest:
        ingest.headers["Authorization"] = f"Bearer {secret}"
        assert ingest.post("/v1/items", json=item("redis-0")).status_code == 202
        server.kill()
        for number in range(1, 4):  # past the quota, which nobody can count now
            assert ingest.post("/v1/items", json=item(f"redis-{number}")).status_code == 202
        assert ingest.post("/v1/items", json=item("redis-1")).status_code == 202
        events = [event for _, event in records(world, "redis-1")]
        assert len({event["event_id"] for event in events}) == 1
        twins = b"\n".join(json.dumps(item("redis-twins", text)).encode() for text in ("first", "other"))
        results = ingest.post("/v1/items:batch", content=twins).json()["results"]
        assert [each["status"] for each in results] == [202, 409]
        without = [
            x
            for x in ingest.get("/metrics").text.splitlines()
            if x.startswith("sluicegate_ingest_without_redis_total")
        ]
        assert float(without[0].split()[1]) >= 4
