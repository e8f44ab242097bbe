"""What survives: Redis flushed, Kafka away, the API killed between Kafka and Redis, records that cannot be read."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from confluent_kafka import Producer

from infra.local.kafka import Kafka
from services.review.core.board import NEVER
from services.review.queue import Queue
from tests.integration.review.snapshots import model_of, snapshot
from tests.integration.review.world import PASSWORD, World, until


def test_redis_flushed_in_mid_work_is_rebuilt_and_nothing_is_lost_or_counted_twice(world: World) -> None:
    world.feed()
    api = world.api()
    ada, grace = world.person(api, "ada"), world.person(api, "grace")
    tasks = {world.request(f"post-{number}") for number in range(6)}
    voted = world.request("two-seats", votes_wanted=2, deadline="2026-01-01T00:00:00.000Z")
    first = ada.claim()
    assert first["task_id"] == voted
    sent = ada.decide(first)
    assert sent.status_code == 200
    held = ada.claim()
    until(lambda: no_offset_missing(world.board, world), "the feed has seen the verdict")
    before, epoch = snapshot(world.board, world.redis), world.board.look().epoch
    world.redis.flushall()
    refused = grace.http.post(f"/v1/queues/{world.queue}/claim")
    assert refused.status_code in (404, 503)  # not yet announced again, or being rebuilt
    until(lambda: world.board.look().state == "ready", "the queue is rebuilt")
    assert world.board.look().epoch == (epoch or 0) + 1
    assert snapshot(world.board, world.redis) == before
    assert before.keys() == tasks | {voted}
    repeat = ada.decide(first)  # the client did not hear the answer, say
    assert repeat.json()["verdict_id"] == sent.json()["verdict_id"]
    assert ada.decide(held).status_code == 200  # its lease is forgotten, the seat is free
    decided = []
    while task := grace.claim():
        assert grace.decide(task).status_code == 200
        decided.append(task["task_id"])
    assert sorted(decided) == sorted((tasks | {voted}) - {held["task_id"]})
    given = [(each.task_id, each.seat, each.reviewer) for each in world.verdicts()]
    assert len(given) == len(set(given)) == 8
    assert len({(task, seat) for task, seat, _ in given}) == 8


def test_live_feed_and_rebuild_and_the_model_come_to_the_same(world: World) -> None:
    world.feed()
    api = world.api()
    ada, grace = world.person(api, "ada"), world.person(api, "grace")
    for number in range(8):
        world.request(f"post-{number}", votes_wanted=2, deadline=f"2026-01-01T00:00:0{number}.000Z")
    world.request("edited", revision=2)
    undone = ada.decide(ada.claim()).json()
    back = ada.undo(undone["verdict_id"]).json()
    assert ada.decide(back, "allow").status_code == 200
    for _ in range(3):
        assert grace.decide(grace.claim()).status_code == 200
    world.withdraw("post-5")
    world.close_task(f"{world.source}/post-6@1.1", "expired")
    world.settle(f"{world.source}/post-0@1.1")
    world.withdraw("edited", revision=1)  # an older revision: the newer one stays
    until(lambda: world.board.look().tasks == 6, "the feed has all of it")
    until(lambda: no_offset_missing(world.board, world), "the feed has seen every verdict")
    live = snapshot(world.board, world.redis)
    assert live == model_of(world)
    epoch = world.board.look().epoch
    world.board.want_rebuild()
    until(lambda: world.board.look().epoch != epoch, "a rebuild has begun")
    until(lambda: world.board.look().state == "ready", "it has ended")
    assert snapshot(world.board, world.redis) == live


def no_offset_missing(queue: Queue, world: World) -> bool:
    return all(
        verdict.offset < NEVER
        for verdicts, _ in snapshot(queue, world.redis).values()
        for verdict in verdicts.values()
    )


def test_a_feed_that_was_away_goes_on_where_redis_is(world: World) -> None:
    feed = world.feed()
    one = world.request("post-1")
    epoch = world.board.look().epoch
    feed.stop()
    two = world.request("post-2", seen=False)
    world.close_task(one, "edited")
    world.feed()
    until(lambda: world.board.body(two), "the feed has what came meanwhile")
    until(lambda: world.board.body(one) is None, "and what ended")
    assert world.board.look().epoch == epoch


def test_kafka_away_is_503_with_retry_after_and_the_lease_stays(world: World, kafka: Kafka) -> None:
    world.feed()
    api = world.api(acknowledge_ms=700)
    ada, grace = world.person(api, "ada"), world.person(api, "grace")
    world.request("post-1")
    task = ada.claim()
    os.kill(kafka.pid, signal.SIGSTOP)
    try:
        answer = ada.decide(task)
    finally:
        os.kill(kafka.pid, signal.SIGCONT)
    assert (answer.status_code, answer.json()["type"]) == (503, "urn:sluicegate:problem:not-recorded")
    assert int(answer.headers["Retry-After"]) > 0
    assert grace.claim() is None
    again = until(lambda: sent(ada.decide(task)), "Kafka takes it")
    ids = {each.verdict_id for each in world.verdicts()}
    assert ids == {again}  # the first try may have arrived as well: it is the same verdict
    assert grace.claim() is None


def sent(answer: object) -> str | None:
    status = getattr(answer, "status_code", 0)
    return str(answer.json()["verdict_id"]) if status == 200 else None  # type: ignore[attr-defined]


def test_an_api_killed_between_kafka_and_redis_loses_nothing(world: World, tmp_path: Path) -> None:
    feed = world.feed()
    api = world.api()
    ada, grace = world.person(api, "ada"), world.person(api, "grace")
    task_id = world.request("post-1")
    task = ada.claim()
    feed.stop()  # so that only the dead API could have marked it
    settings = world.common() | {"token": task["token"], "task": task_id, "person": "ada"}
    script = Path(__file__).with_name("killed_api.py")
    environment = os.environ | {f"SLUICEGATE_{name.upper()}": str(value) for name, value in settings.items()}
    done = subprocess.run([sys.executable, str(script)], env=environment, timeout=60, cwd=Path.cwd())
    assert done.returncode == -signal.SIGKILL
    (verdict,) = world.verdicts()
    assert grace.claim() is None  # the seat is kept for what was on its way
    world.feed()
    until(lambda: ada.http.get("/v1/history").json(), "the feed has marked it")
    repeat = ada.decide(task)
    assert (repeat.status_code, repeat.json()["verdict_id"]) == (200, verdict.verdict_id)
    assert len(world.verdicts()) == 1
    assert grace.claim() is None


def test_what_cannot_be_read_goes_to_dead_letter_once_and_the_stream_goes_on(world: World) -> None:
    world.feed()
    topic = f"review.requested.{world.queue}"
    producer = Producer({"bootstrap.servers": world.bootstrap})
    marker = f"\xff not JSON {world.queue}".encode("latin-1")
    producer.produce(topic, marker, b"k", partition=0)
    wrong = b'{"schema":"review_requested.v9","for":"' + world.queue.encode() + b'"}'
    producer.produce(topic, wrong, b"k", partition=0)
    producer.flush(10)
    assert world.request("post-1")

    def dead() -> list[bytes]:
        return [raw for raw in world.records("dead.letter") if world.queue.encode() in raw]

    until(lambda: len(dead()) == 2, "both are set aside")
    epoch = world.board.look().epoch
    world.board.want_rebuild()
    until(lambda: world.board.look().epoch != epoch, "a rebuild has begun")
    until(lambda: world.board.look().state == "ready", "it has ended")
    assert len(dead()) == 2
    assert world.board.look().tasks == 1


def test_redis_away_is_503(world: World) -> None:
    world.feed()
    ada = world.person(world.api(), "ada")
    cut_off = world.api(redis_url="redis://127.0.0.1:1/0")
    answer = ada.http.post(f"{cut_off.url}/v1/queues/{world.queue}/claim")
    assert (answer.status_code, answer.json()["type"]) == (503, "urn:sluicegate:problem:unavailable")
    assert "draft is kept" in answer.json()["detail"]
    assert ada.http.get(f"{cut_off.url}/healthz").status_code == 200
    assert ada.http.get(f"{cut_off.url}/readyz").status_code == 503


@pytest.mark.parametrize("password", ["wrong", ""])
def test_failed_logins_are_throttled(world: World, password: str) -> None:
    world.feed()
    api = world.api(review_login_failures=3)
    ada = world.person(api, "ada")
    body = {"name": "ada", "password": password}
    answers = [ada.http.post("/v1/login", json=body).status_code for _ in range(4)]
    assert answers == [401, 401, 401, 429]
    right = ada.http.post("/v1/login", json={"name": "ada", "password": PASSWORD})
    assert right.status_code == 429 and int(right.headers["Retry-After"]) > 0


def test_one_persons_mistakes_do_not_lock_out_an_address(world: World) -> None:
    world.feed()
    api = world.api(review_login_failures=2, review_login_failures_address=4)
    ada = world.person(api, "ada")

    def attempt(name: str, password: str) -> int:
        return ada.http.post("/v1/login", json={"name": name, "password": password}).status_code

    assert [attempt("bob", "wrong") for _ in range(3)] == [401, 401, 429]
    assert attempt("ada", PASSWORD) == 200
    assert [attempt(name, "wrong") for name in ("carl", "dora")] == [401, 401]
    assert attempt("ada", PASSWORD) == 429
