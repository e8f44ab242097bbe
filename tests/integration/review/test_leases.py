"""Leases: never two people on one seat, expiry, what a late verdict gets."""

from __future__ import annotations

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from redis import Redis

from services.review.core.abilities import Abilities
from services.review.core.abilities import needs as needs_of
from services.review.core.changes import Requested
from services.review.queue import Handout, Lease, No, Queue, Queues, Reserved
from tests.integration.review.world import World, until


def board(world: World) -> Queue:
    """An open queue in Redis without a feed."""
    queue = Queues(Redis.from_url(world.redis_url)).get(world.queue)
    queue.begin(1, ["topic/0"])
    queue.open(1)
    return queue


def put(queue: Queue, number: int, *, wanted: int = 1, lease_ms: int = 60_000, needs: str = "") -> str:
    """A task straight into Redis."""
    task = f"demo/post-{number}@1.1"
    change = Requested(
        offset=number,
        task_id=task,
        deadline=number,
        expires=2**42,
        wanted=wanted,
        lease_ms=lease_ms,
        item=f"demo/post-{number}",
        revision=1,
        accepted=number,
        body="{}",
        needs=needs,
    )
    assert queue.apply(1, "review.requested.x/0", number + 1, [change])
    return task


def test_many_people_at_once_never_hold_the_same_seat(world: World) -> None:
    queue = board(world)
    tasks = [put(queue, number, wanted=1 + number % 3) for number in range(300)]
    seats = sum(1 + number % 3 for number in range(300))
    gate = threading.Barrier(24)

    def work(person: str) -> list[Lease]:
        own = Queues(Redis.from_url(world.redis_url)).get(world.queue)
        got: list[Lease] = []
        gate.wait()
        while True:
            given = own.claim(person, 10_000, [lease.task_id for lease in got])
            if isinstance(given, No):
                assert given.code == "empty"
                return got
            got.append(given.lease)

    with ThreadPoolExecutor(24) as pool:
        held = [lease for leases in pool.map(work, [f"p{n}" for n in range(24)]) for lease in leases]
    by_seat = Counter((lease.task_id, lease.seat) for lease in held)
    by_person = Counter((lease.task_id, lease.person) for lease in held)
    assert max(by_seat.values()) == 1
    assert max(by_person.values()) == 1
    assert len(by_seat) == seats
    assert {task for task, _ in by_seat} == set(tasks)
    assert len({lease.number for lease in held}) == len(held)


def test_one_seat_takes_one_verdict_however_many_send_at_once(world: World) -> None:
    queue = board(world)
    task = put(queue, 1, lease_ms=5)
    leases = []
    for person in ("ada", "grace", "joan", "mary"):  # each had it once, and each lease ran out
        given = until(partial(handed, queue, person), "the lease before ran out")
        leases.append(given.lease)
    time.sleep(0.01)  # the last one runs out
    with ThreadPoolExecutor(4) as pool:
        answers = list(
            pool.map(lambda pair: queue.reserve(pair[1], f"{pair[0]:032x}", 9000, 5000), enumerate(leases))
        )
    kept = [answer for answer in answers if isinstance(answer, Reserved)]
    assert len(kept) == 1 and kept[0].late
    assert {answer.code for answer in answers if isinstance(answer, No)} == {"seat_held"}
    assert task == leases[0].task_id


def handed(queue: Queue, person: str) -> Handout | None:
    given = queue.claim(person, 3)
    return given if isinstance(given, Handout) else None


def test_a_lease_that_ran_out_returns_the_task(world: World) -> None:
    world.feed()
    api = world.api()
    ada, grace = world.person(api, "ada"), world.person(api, "grace")
    world.request("post-1", lease_seconds=5)
    first = ada.claim()
    assert grace.claim() is None
    second = until(grace.claim, "the lease has run out")
    assert (second["task_id"], second["seat"]) == (first["task_id"], first["seat"])
    late = ada.decide(first)
    assert (late.status_code, late.json()["type"]) == (409, "urn:sluicegate:problem:seat-held")
    assert "Your draft was not sent" in late.json()["detail"]
    assert grace.decide(second).status_code == 200
    later = ada.decide(first)
    assert later.json()["type"] == "urn:sluicegate:problem:seat-taken"
    assert [each.reviewer for each in world.verdicts()] == ["grace"]


def test_a_late_verdict_is_accepted_while_the_seat_is_free(world: World) -> None:
    world.feed()
    ada = world.person(world.api(), "ada")
    world.request("post-1", lease_seconds=5)
    task = ada.claim()
    until(lambda: world.board.look().held == 0, "the lease has run out")
    assert ada.decide(task).status_code == 200
    assert [each.reviewer for each in world.verdicts()] == ["ada"]


def test_extending_begins_the_lease_anew(world: World) -> None:
    world.feed()
    api = world.api()
    ada, grace = world.person(api, "ada"), world.person(api, "grace")
    world.request("post-1", lease_seconds=5)
    task = ada.claim()
    until(lambda: world.board.look().held == 0, "the lease has run out")
    answer = ada.lease(task, "extend")
    assert answer.status_code == 200 and answer.json()["lease_seconds_left"] == 5
    assert grace.claim() is None
    assert ada.decide(task).status_code == 200


def test_nobody_holds_more_than_the_limit(world: World) -> None:
    world.feed()
    ada = world.person(world.api(review_hold=2), "ada")
    for number in range(3):
        world.request(f"post-{number}")
    one = ada.claim()["task_id"]
    two = ada.claim(one)["task_id"]
    answer = ada.http.post(f"/v1/queues/{world.queue}/claim", json={"at_hand": [one, two]})
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:sluicegate:problem:enough")


def test_people_are_given_what_they_have_the_skills_and_languages_for(world: World) -> None:
    queue = board(world)
    for number in range(60):  # more than claiming looks at at once
        put(queue, number, needs=needs_of(["law", "minors"], ["de", "pt-br"]))
    german, plain = put(queue, 60, needs=needs_of([], ["de"])), put(queue, 61)

    def given(skills: set[str], languages: set[str]) -> str | tuple[str, bytes]:
        able = Abilities(frozenset(skills), frozenset(languages))
        answer = queue.claim(f"p{len(skills)}{len(languages)}", 9, (), able)
        return (answer.code, answer.why) if isinstance(answer, No) else answer.lease.task_id

    assert given({"law"}, {"de"}) == german, "not all skills"
    assert given({"minors", "law", "tax"}, {"pt-br"}) == "demo/post-0@1.1", "one of the languages"
    assert given({"minors", "law"}, {"pt", "d", "fr"}) == plain, "no part of a name counts"
    assert given(set(), {"fr"}) == ("unable", b"law,minors|de,pt-br")
    assert queue.apply(1, "review.closed/0", 1, [])


def test_an_account_that_lacks_what_a_queue_asks_for_is_told(world: World) -> None:
    world.feed()
    api = world.api()
    ada = world.person(api, "ada")
    world.request("in-german", skills=("law",), languages=("de",))
    answer = ada.http.post(f"/v1/queues/{world.queue}/claim", json={})
    assert answer.status_code == 403 and "needs the skill law, the language de" in answer.json()["detail"]
    api.accounts.describe("ada", ["law"], ["DE", "en"])
    assert ada.claim()["item_id"] == "in-german"
