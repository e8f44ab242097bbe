"""Lua on a real Redis and the pure model come to the same, whatever happens in whatever order."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis import Redis as Client

from infra.local.redis import Redis
from services.review.core.board import Board, next_task
from services.review.core.changes import Change, Completed, Ended, Paused, Requested, Withdrawn
from services.review.queue import Handout, Queue, Queues
from tests.integration.review.snapshots import snapshot, state_of

PEOPLE = ("ada", "grace")
NOW = 1_800_000_000_000  # ms; tasks expire long after
numbers = itertools.count()


@dataclass(frozen=True)
class Claim:
    """Somebody asks for a task."""

    person: str


def requested(item: int, revision: int, wanted: int, deadline: int) -> Requested:
    return Requested(
        task_id=f"demo/i{item}@{revision}.1",
        deadline=deadline,
        expires=2**42,
        wanted=wanted,
        lease_ms=3_600_000,
        item=f"demo/i{item}",
        revision=revision,
        accepted=deadline,
        body="{}",
    )


def completed(item: int, revision: int, person: str, seat: int, retraction: bool) -> Completed:
    verdict = f"{item}{revision}{person}{seat}"
    return Completed(
        task_id=f"demo/i{item}@{revision}.1",
        verdict_id=verdict,
        seat=seat,
        reviewer=person,
        final_at=NOW,
        at=NOW,
        retraction=retraction,
        record="{}",
    )


items, revisions, people = (
    st.integers(0, 1),
    st.integers(1, 2),
    st.sampled_from(PEOPLE),
)  # few, so that they meet
steps = st.one_of(
    st.builds(requested, items, revisions, st.integers(1, 3), st.integers(1, 5)),
    st.builds(completed, items, revisions, people, st.integers(0, 2), st.just(False)),
    st.builds(completed, items, revisions, people, st.integers(0, 2), st.booleans()),
    st.builds(Claim, people),
    st.builds(lambda i, r: Ended(task_id=f"demo/i{i}@{r}.1", why="settled"), items, revisions),
    st.builds(lambda i, r: Withdrawn(item=f"demo/i{i}", revision=r, why="withdrawn"), items, revisions),
    st.builds(Claim, people),
)


@pytest.fixture(scope="module")
def client(review_redis: Redis) -> Iterator[Client]:
    with Client.from_url(review_redis.url) as made:
        yield made


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(steps, max_size=40))
def test_the_board_and_who_gets_what(client: Client, history: list[Change | Claim]) -> None:
    queue, model = opened(client), Board()
    held: dict[tuple[str, int], str] = {}
    for offset, step in enumerate(history):
        if isinstance(step, Claim):
            expected = next_task(model, step.person, held, NOW)
            mine = [task for (task, _), person in held.items() if person == step.person]
            given_out = queue.claim(step.person, 99, mine)
            got = (given_out.lease.task_id, given_out.lease.seat) if isinstance(given_out, Handout) else None
            assert got == expected
            if got is not None:
                held[got] = step.person
            continue
        change = with_offset(step, offset)
        model.apply(change)
        assert queue.apply(1, "topic/0", offset + 1, [change])
        held = {
            (task, seat): person
            for (task, seat), person in held.items()
            if task in model.tasks and not lost(change, task, seat, history[:offset])
        }
        assert snapshot(queue, client) == state_of(model)
    assert snapshot(queue, client) == state_of(model)


def lost(change: Change, task: str, seat: int, before: list[Change | Claim]) -> bool:
    """Whether a lease ends since somebody else's verdict, new and not taken back, has its seat."""
    if (
        not isinstance(change, Completed)
        or change.retraction
        or (change.task_id, change.seat) != (task, seat)
    ):
        return False
    same = [each for each in before if isinstance(each, Completed) and each.verdict_id == change.verdict_id]
    return not same


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_the_order_of_topics_does_not_matter(client: Client, data: st.DataObject) -> None:
    kinds = st.lists(steps.filter(lambda step: not isinstance(step, Claim)), max_size=12)
    changes = [with_offset(step, n) for n, step in enumerate(data.draw(kinds)) if not isinstance(step, Claim)]
    one, other = opened(client), opened(client)
    one.apply(1, "topic/0", 100, changes)
    for partition, change in enumerate(data.draw(st.permutations(changes))):
        other.apply(1, f"topic/{partition}", 100, [change])
    assert snapshot(one, client) == snapshot(other, client)


def test_a_record_is_applied_once(client: Client) -> None:
    queue = opened(client)
    pause, resume = Paused(offset=5, paused=True), Paused(offset=6)
    assert queue.apply(1, "topic/0", 6, [pause])
    assert queue.look().paused
    assert queue.apply(1, "topic/0", 7, [pause, resume])
    assert queue.apply(1, "topic/0", 6, [pause])  # a second feed that lags
    assert not queue.look().paused
    assert queue.offsets() == {"topic/0": 7}
    assert not queue.apply(2, "topic/0", 9, [])  # of another epoch
    assert queue.offsets() == {"topic/0": 7}


def test_the_lowest_offset_has_the_seat(client: Client) -> None:
    queue = opened(client)
    queue.apply(1, "requested/0", 1, [with_offset(requested(1, 1, 1, 1), 0)])
    ada, grace = (completed(1, 1, person, 0, False) for person in PEOPLE)
    assert queue.mark(grace) == grace.verdict_id
    queue.apply(1, "completed/0", 8, [with_offset(ada, 3), with_offset(grace, 7)])
    assert queue.mark(grace) == ada.verdict_id


def opened(client: Client) -> Queue:
    queue = Queues(client).get(f"m{next(numbers)}")
    queue.begin(1, ["topic/0"])
    queue.open(1)
    return queue


def with_offset(change: Change, offset: int) -> Change:
    return msgspec.structs.replace(change, offset=offset)
