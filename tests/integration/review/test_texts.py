"""Open copies of one text: people are given one at a time, and none is lost, whatever becomes of it."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from redis import Redis

from services.review.core.changes import Ended, Requested
from services.review.queue import Handout, No, Queue, Queues
from services.runtime.clock import now_ms
from tests.integration.review.snapshots import places, snapshot
from tests.integration.review.world import World, until

TEXT = "c" * 32
COPY: dict[str, Any] = {"text_hash": TEXT, "follows_text": True}


def board(world: World) -> Queue:
    """An open queue in Redis without a feed."""
    queue = Queues(Redis.from_url(world.redis_url)).get(world.queue)
    queue.begin(1, ["topic/0"])
    queue.open(1)
    return queue


def put(queue: Queue, *numbers: int, text: str = "text|", **more: Any) -> list[str]:
    """Copies straight into Redis, the first with the earliest deadline."""
    changes = [
        Requested(
            **{
                "offset": number,
                "task_id": f"demo/post-{number}@1.1",
                "deadline": number,
                "expires": 2**42,
                "wanted": 1,
                "lease_ms": 60_000,
                "item": f"demo/post-{number}",
                "revision": 1,
                "accepted": number,
                "body": "{}",
                "text": text,
            }
            | more
        )
        for number in numbers
    ]
    assert queue.apply(1, "requested/0", numbers[-1] + 1, changes)
    return [change.task_id for change in changes]


def given(answer: Handout | No) -> str:
    return answer.lease.task_id if isinstance(answer, Handout) else answer.code


def test_however_many_ask_at_once_one_of_them_is_given_one_of_fifty_copies(world: World) -> None:
    queue = board(world)
    tasks = put(queue, *range(50))
    gate = threading.Barrier(16)

    def claim(person: str) -> Handout | No:
        own = Queues(Redis.from_url(world.redis_url)).get(world.queue)
        gate.wait()
        return own.claim(person, 3)

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(claim, [f"p{n}" for n in range(16)]))
    (handout,) = [each for each in answers if isinstance(each, Handout)]
    assert (handout.lease.task_id, handout.copies) == (tasks[0], 49)
    assert {given(each) for each in answers} == {tasks[0], "empty"}
    status = queue.look()
    assert (status.depth, status.tasks, status.waiting, status.held) == (0, 50, 49, 1)


def test_a_skipped_text_is_offered_to_others_and_not_in_another_copy(world: World) -> None:
    queue = board(world)
    first, second = put(queue, 1, 2)
    handout = queue.claim("ada", 3)
    assert isinstance(handout, Handout) and queue.release(handout.lease, 600_000) is None
    assert given(queue.claim("ada", 3)) == "empty"
    assert queue.apply(1, "closed/0", 1, [Ended(offset=0, task_id=first, why="withdrawn")])
    assert given(queue.claim("ada", 3)) == "empty"
    assert given(queue.claim("grace", 3)) == second


def test_a_task_that_people_have_begun_is_not_overtaken_by_an_earlier_deadline(world: World) -> None:
    queue = board(world)
    (late,) = put(queue, 9)
    assert given(queue.claim("ada", 3)) == late
    (early,) = put(queue, 10, deadline=1)
    assert given(queue.claim("grace", 3)) == "empty"
    lease = queue.claim("ada", 3)
    assert isinstance(lease, Handout)
    queue.release(lease.lease, 600_000)
    assert (
        given(queue.claim("grace", 3)) == early
    )  # nobody has begun any: the order of work is that of deadlines


def test_the_second_person_of_two_is_given_the_same_copy(world: World) -> None:
    queue = board(world)
    first, _ = put(queue, 1, 2, wanted=2)
    assert [given(queue.claim(person, 3)) for person in ("ada", "grace", "joan")] == [first, first, "empty"]


def test_a_copy_that_expires_while_the_router_is_away_holds_nobody_up(world: World) -> None:
    queue = board(world)
    put(queue, 1, expires=now_ms() + 200)
    (second,) = put(queue, 2)
    until(lambda: given(queue.claim("ada", 3)) == second, "the first has expired")
    status = queue.look()
    assert (status.depth, status.tasks, status.waiting) == (0, 2, 0)


def test_what_the_router_keeps_of_a_decided_text_is_shown_when_it_has_had_its_time(world: World) -> None:
    queue = board(world)
    first, *others = put(queue, *range(300))
    ended = Ended(offset=0, task_id=first, why="agreed:remove", decided=True)
    assert queue.apply(1, "settled/0", 1, [ended], 50)
    assert places(queue, world.redis) == (set(), set(others))
    until(lambda: queue.tick(3_600_000).depth == 299, "all of them are shown")
    assert places(queue, world.redis) == (set(others), set())
    assert not list(world.redis.scan_iter(f"review:{{{world.queue}}}:text:*"))


def test_a_copy_that_arrives_just_after_its_text_was_decided_waits_for_the_router_too(world: World) -> None:
    queue = board(world)
    (first,) = put(queue, 1)
    ended = Ended(offset=0, task_id=first, why="agreed:remove", decided=True)
    assert queue.apply(1, "settled/0", 1, [ended], 3_600_000)
    (second,) = put(queue, 2)
    assert (given(queue.claim("ada", 3)), places(queue, world.redis)) == ("empty", (set(), {second}))
    (other,) = put(queue, 3, text="other|")
    assert given(queue.claim("ada", 3)) == other


def test_texts_leave_nothing_behind_in_redis(world: World) -> None:
    queue = board(world)
    tasks = put(queue, *range(20))
    lease = queue.claim("ada", 3)
    assert isinstance(lease, Handout)
    ends = [Ended(offset=n, task_id=task, why="withdrawn") for n, task in enumerate(tasks)]
    assert queue.apply(1, "closed/0", 20, ends)
    kept = {key.decode().rpartition("}:")[2] for key in world.redis.scan_iter(f"review:{{{world.queue}}}:*")}
    assert kept == {"meta", "offsets", "gone", "why"}


def test_fifty_copies_over_partitions_are_one_task_through_a_flush_and_each_end_of_it(world: World) -> None:
    world.feed()
    api = world.api()
    ada, grace = world.person(api, "ada"), world.person(api, "grace")
    tasks = [world.request(f"copy-{n}", seen=False, **COPY) for n in range(50)]
    audit = world.request("audited", purpose="audit", text_hash=TEXT)
    expert = world.request("asked-again", replaces=f"{world.source}/asked-again@1.0", text_hash=TEXT)
    until(lambda: world.board.look().tasks == 52, "all are there")
    (row,) = [each for each in ada.http.get("/v1/queues").json() if each["queue"] == world.queue]
    assert (row["depth"], row["tasks"], row["copies_waiting"]) == (3, 52, 49)
    assert row["oldest_age_seconds"] is not None

    mine: list[Any] = []
    for _ in range(3):
        mine.append(ada.claim(*(each["task_id"] for each in mine)))
    first = next(each for each in mine if each["task_id"] not in (audit, expert))
    assert {each["task_id"] for each in mine} == {first["task_id"], audit, expert}
    assert {each["task_id"]: each["copies_waiting"] for each in mine} == {
        first["task_id"]: 49,
        audit: 0,
        expert: 0,
    }
    assert not {"text_hash", "follows_text"} & first.keys()
    assert grace.claim() is None

    before, epoch = snapshot(world.board, world.redis), world.board.look().epoch or 0
    world.redis.flushall()
    until(lambda: world.board.look().epoch == epoch + 1, "a rebuild has begun")
    until(lambda: world.board.look().state == "ready", "it has ended")
    assert snapshot(world.board, world.redis) == before
    assert (world.board.look().depth, world.board.look().waiting) == (3, 49)

    # whoever withdraws or edits the one that is shown shows the next
    ended = {first["task_id"]}
    world.withdraw(first["item_id"])
    for reason in ("edited", "expired"):
        until(lambda: world.board.look().waiting == 49 - len(ended), "the next takes its place")
        (shown,) = places(world.board, world.redis)[0] - {audit, expert}
        assert shown not in ended
        world.close_task(shown, reason)  # type: ignore[arg-type]
        ended.add(shown)
    until(lambda: world.board.look().waiting == 46, "the next takes its place")

    # people decide it: nobody sees another before the router closes them
    world.withdraw("audited")
    world.withdraw("asked-again")
    until(lambda: world.board.look().depth == 1, "audit and experts are done")
    task = grace.claim()
    assert task["copies_waiting"] == 46
    assert grace.decide(task).status_code == 200
    assert ada.claim() is None
    world.settle(task["task_id"])
    until(lambda: world.board.look().tasks == 46, "it is settled")
    assert ada.claim() is None and world.board.look().depth == 0
    for each in set(tasks) - ended - {task["task_id"]}:
        world.close_task(each, "copy_decided")
    until(lambda: world.board.look().tasks == 0, "all are closed")
    assert len(world.verdicts()) == 1


def test_where_people_do_not_agree_the_next_copy_is_asked_about(world: World) -> None:
    world.feed()
    api = world.api()
    ada, grace = world.person(api, "ada"), world.person(api, "grace")
    for number in range(3):
        world.request(f"copy-{number}", **COPY)
    task = ada.claim()
    verdict = ada.decide(task).json()["verdict_id"]
    assert grace.claim() is None
    again = ada.undo(verdict).json()
    assert (again["task_id"], again["copies_waiting"]) == (task["task_id"], 2)
    assert grace.claim() is None
    assert ada.decide(again, "escalate").status_code == 200
    world.settle(task["task_id"], agreed=False)
    next_one = until(grace.claim, "the next copy is shown")
    assert next_one["task_id"] != task["task_id"] and next_one["copies_waiting"] == 1
    assert ada.claim() is None
