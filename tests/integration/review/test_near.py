"""Near copies in a row: Lua and the model agree; the API tells of them; nothing is lost with Redis."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis import Redis as Client

from infra.local.redis import Redis
from services.events.instants import from_millis
from services.review.core.abilities import Abilities, needs
from services.review.core.board import Board, fitting, waiting
from services.review.core.changes import Change, Clustered, Completed, Ended, Requested
from services.review.core.near import Likeness, Run, next_of_run
from services.review.queue import Handout, No, Queue, Queues
from services.runtime.clock import now_ms
from tests.integration.review.world import World, until

NOW = 1_800_000_000_000  # ms; tasks expire long after
MOST = 2
numbers = itertools.count()


@dataclass(frozen=True)
class Claim:
    """Somebody asks for a task."""

    person: str


Step: TypeAlias = Change | Claim


def task(number: int) -> str:
    return f"demo/i{number}@1.1"


def requested(number: int, deadline: int, wanted: int = 1, needed: str = "", text: str = "") -> Requested:
    return Requested(
        task_id=task(number),
        deadline=deadline,
        expires=2**42,
        wanted=wanted,
        lease_ms=3_600_000,
        item=f"demo/i{number}",
        revision=1,
        accepted=deadline,
        body="{}",
        needs=needed,
        text=text and f"{text}|{needed}",
    )


def verdict(number: int, person: str) -> Completed:
    return Completed(
        task_id=task(number), verdict_id=f"{number}{person}", seat=0, reviewer=person, final_at=NOW, at=NOW,
        record="{}",
    )  # fmt: skip


items, people = st.integers(0, 7), st.sampled_from(("ada", "grace"))
GERMAN = needs((), ("de",))
ABILITIES = {"ada": Abilities(languages=frozenset({"de"})), "grace": Abilities()}
steps = st.one_of(
    st.builds(requested, items, st.integers(1, 5), st.integers(1, 2), st.sampled_from(("", "", GERMAN))),
    st.builds(requested, items, st.integers(1, 5), text=st.just("same")),  # of which one is shown at a time
    st.builds(lambda i, c: Clustered(task_id=task(i), cluster=c), items, st.sampled_from("ab")),
    st.builds(lambda i, c: Clustered(task_id=task(i), cluster=c), items, st.just("a")),
    st.builds(Claim, people),
    st.builds(Claim, people),
    st.builds(verdict, items, people),
    st.builds(lambda i: Ended(task_id=task(i), why="?"), items),
)

crowd = st.builds(  # a queue of few clusters that one person works off: runs come to their end
    lambda clusters, claims: [
        *(requested(number, number) for number in range(len(clusters))),
        *(Clustered(task_id=task(number), cluster=cluster) for number, cluster in enumerate(clusters)),
        *(Claim(person) for person in claims),
    ],
    st.lists(st.sampled_from("aaab"), min_size=4, max_size=8),
    st.lists(people, min_size=4, max_size=8),
)


@pytest.fixture(scope="module")
def client(review_redis: Redis) -> Iterator[Client]:
    with Client.from_url(review_redis.url) as made:
        yield made


def opened(client: Client) -> Queue:
    queue = Queues(client).get(f"n{next(numbers)}")
    queue.begin(1, ["topic/0"])
    queue.open(1)
    return queue


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(st.lists(steps, min_size=5, max_size=50), crowd))
def test_redis_and_the_model_give_the_same(client: Client, history: list[Step]) -> None:
    queue, model = opened(client), Board()
    held: dict[tuple[str, int], str] = {}
    runs: dict[str, Run | None] = {"ada": None, "grace": None}
    for offset, step in enumerate(history):
        if isinstance(step, Claim):
            who, mine = step.person, [key for (key, _), person in held.items() if person == step.person]
            seats = fitting(model, who, held, NOW, ABILITIES[who])
            expected, runs[who] = next_of_run(model, seats, runs[who], MOST)
            given_out = queue.claim(who, 99, mine, ABILITIES[who], MOST)
            got = (given_out.lease.task_id, given_out.lease.seat) if isinstance(given_out, Handout) else None
            assert got == expected
            if got is not None:
                assert isinstance(given_out, Handout)
                held[got] = who
                assert given_out.near == likeness(model, held, got[0], runs[who])
            continue
        change = msgspec.structs.replace(step, offset=offset)
        seen = {key for each in model.tasks.values() for key in each.verdicts}
        model.apply(change)
        assert queue.apply(1, "topic/0", offset + 1, [change])
        taken = (
            (change.task_id, 0) if isinstance(change, Completed) and change.verdict_id not in seen else None
        )
        held = {seat: person for seat, person in held.items() if seat[0] in model.tasks and seat != taken}
        assert offered(client, queue) == open_by_cluster(model, held)


def open_by_cluster(model: Board, held: dict[tuple[str, int], str]) -> dict[str, set[str]]:
    """The tasks that somebody can be given, by cluster."""
    found: dict[str, set[str]] = {}
    waits = waiting(model, {key for key, _ in held}, NOW)
    for key, each in model.open().items():
        if (
            key in model.near
            and key not in waits
            and any((key, seat) not in held for seat in each.open_seats())
        ):
            found.setdefault(model.near[key], set()).add(key)
    return found


def offered(client: Client, queue: Queue) -> dict[str, set[str]]:
    """The same of Redis."""
    prefix = f"review:{{{queue.name}}}:near:"
    return {
        key.decode().removeprefix(prefix): {each.decode() for each in client.zrange(key, 0, -1)}
        for key in client.scan_iter(match=f"{prefix}*", count=1000)
    }


def likeness(model: Board, held: dict[tuple[str, int], str], key: str, run: Run | None) -> Likeness | None:
    """What the model tells of a task that was just given."""
    if run is None:
        return None
    others = open_by_cluster(model, held).get(run.cluster, set()) - {key}
    return Likeness(run.count, run.count + len(others)) if run.count + len(others) > 1 else None


def test_the_order_in_which_request_cluster_and_end_come_does_not_matter(client: Client) -> None:
    changes = [requested(1, 5), Clustered(task_id=task(1), cluster="a"), requested(2, 6)]
    changes += [Clustered(task_id=task(2), cluster="a"), Ended(task_id=task(2), why="?")]
    for order in itertools.permutations(changes):
        queue = opened(client)
        for partition, change in enumerate(order):
            queue.apply(1, f"topic/{partition}", 1, [msgspec.structs.replace(change, offset=0)])
        assert offered(client, queue) == {"a": {task(1)}}
        prefix = f"review:{{{queue.name}}}:"
        assert client.hkeys(f"{prefix}near") == [task(1).encode()] and not client.exists(f"{prefix}unmet")


def test_a_cluster_whose_task_never_comes_is_forgotten(client: Client) -> None:
    queue = opened(client)
    queue.apply(1, "topic/0", 1, [Clustered(offset=0, task_id=task(1), cluster="a")])
    queue.tick(3_600_000)
    prefix = f"review:{{{queue.name}}}:"
    assert client.hexists(f"{prefix}near", task(1))
    client.zadd(f"{prefix}unmet", {task(1): 1})
    queue.tick(3_600_000)
    assert not client.exists(f"{prefix}near") and not client.exists(f"{prefix}unmet")
    queue.apply(1, "topic/1", 1, [msgspec.structs.replace(requested(1, 5), offset=0)])
    assert isinstance(queue.claim("ada", 3), Handout), "and its task is none the worse for it"


def test_who_gives_one_back_is_not_given_the_others_first(client: Client) -> None:
    queue = opened(client)
    changes = [requested(number, number) for number in range(5)]
    near = [Clustered(task_id=task(number), cluster="a") for number in (0, 2, 3, 4)]
    queue.apply(
        1, "topic/0", 9, [msgspec.structs.replace(c, offset=n) for n, c in enumerate([*changes, *near])]
    )
    first = queue.claim("ada", 3)
    assert isinstance(first, Handout) and first.near == Likeness(1, 4)
    queue.release(first.lease, 60_000)
    second = queue.claim("ada", 3)
    assert isinstance(second, Handout) and second.lease.task_id == task(1) and second.near is None


def deadline(seconds: int) -> str:
    return from_millis(now_ms() + 1000 * seconds)


def test_people_are_given_near_copies_in_a_row_and_told_so_through_a_flush(world: World) -> None:
    world.feed()
    ada = world.person(world.api(review_hold=2), "ada")
    near = [world.request(f"near-{number}", deadline=deadline(100 + 10 * number)) for number in range(4)]
    others = [world.request(f"other-{number}", deadline=deadline(105 + 10 * number)) for number in range(2)]
    world.clustered(*near)

    first = ada.claim()
    assert (first["task_id"], first["near"]) == (near[0], {"place": 1, "of": 4})
    second = ada.claim(first["task_id"])
    assert (second["task_id"], second["near"]) == (near[1], {"place": 2, "of": 4})
    again = ada.claim()  # the page is loaded anew
    assert (again["task_id"], again["near"]) in (
        (near[0], {"place": 1, "of": 4}),
        (near[1], {"place": 2, "of": 4}),
    )
    for each in (first, second):
        assert ada.decide(each).status_code == 200
        world.settle(each["task_id"])
    until(lambda: world.board.body(near[0]) is None and world.board.body(near[1]) is None, "they are over")

    world.redis.flushall()
    until(
        lambda: world.knows_clusters(*near[2:]) and world.board.look().state == "ready",
        "the queue is rebuilt",
    )
    ada = world.person(world.api(review_hold=2), "ada")
    order = []
    for _ in range(4):
        given_out = until(ada.claim, "a task")
        order.append((given_out["task_id"], given_out["near"]))
        assert ada.decide(given_out).status_code == 200
    assert order == [
        (others[0], None),
        (others[1], None),
        (near[2], {"place": 1, "of": 2}),
        (near[3], {"place": 2, "of": 2}),
    ]


def test_audits_are_in_no_run_and_show_nothing(world: World) -> None:
    world.feed()
    ada = world.person(world.api(), "ada")
    plain = [world.request(f"near-{number}", deadline=deadline(100 + 10 * number)) for number in range(2)]
    blind = f"{world.source}/blind@1.audit"
    world.request("blind", deadline=deadline(105), purpose="audit", task_id=blind, seen=False)
    until(lambda: world.board.body(blind), "the audit is there")
    world.clustered(blind, *plain)
    assert not world.knows_clusters(blind)
    given_out: list[Any] = [ada.claim()]
    given_out.append(ada.claim(given_out[0]["task_id"]))
    given_out.append(ada.claim(*(each["task_id"] for each in given_out)))
    assert [each["purpose"] for each in given_out] == ["decision", "decision", "audit"]
    assert [each["near"] for each in given_out] == [{"place": 1, "of": 2}, {"place": 2, "of": 2}, None]


def test_a_crowd_does_not_starve_the_rest(world: World) -> None:
    world.feed()
    ada = world.person(world.api(review_run=3), "ada")
    crowd = [
        world.request(f"near-{number}", deadline=deadline(100 + number), seen=False) for number in range(8)
    ]
    other = world.request("other", deadline=deadline(102))
    world.clustered(*crowd)
    order = []
    for _ in range(6):
        given_out = until(ada.claim, "a task")
        order.append(given_out["task_id"])
        assert ada.decide(given_out).status_code == 200
    assert order[:3] == crowd[:3] and order[3] == other and order[4:] == crowd[3:5]


def test_nobody_is_given_a_near_copy_that_another_has(client: Client) -> None:
    queue = opened(client)
    changes: list[Change] = [requested(number, number) for number in range(3)]
    changes += [Clustered(task_id=task(number), cluster="a") for number in range(3)]
    queue.apply(1, "topic/0", 9, [msgspec.structs.replace(c, offset=n) for n, c in enumerate(changes)])
    first, second = queue.claim("ada", 3), queue.claim("grace", 3)
    assert isinstance(first, Handout) and isinstance(second, Handout)
    third = queue.claim("ada", 3, [first.lease.task_id])
    assert isinstance(third, Handout)
    assert len({each.lease.task_id for each in (first, second, third)}) == 3
    assert isinstance(queue.claim("grace", 3, [second.lease.task_id]), No)
