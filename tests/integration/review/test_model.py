"""Lua on a real Redis and the pure model come to the same, whatever happens in whatever order."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis import Redis as Client

from infra.local.redis import Redis
from services.review.core.board import Board, next_task
from services.review.core.changes import Change, Completed, Ended, Paused, Requested, Withdrawn
from services.review.queue import Handout, Queue, Queues
from tests.integration.review.snapshots import places, places_of, snapshot, state_of

PEOPLE = ("ada", "grace")
REST = 3_600_000  # ms
NOW = 1_800_000_000_000  # ms; tasks expire long after
numbers = itertools.count()


@dataclass(frozen=True)
class Claim:
    """Somebody asks for a task."""

    person: str


@dataclass(frozen=True)
class Rest:
    """The router has had its time to close the copies of what was decided."""


Step: TypeAlias = Change | Claim | Rest


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
        text="" if item == 2 else "same|",
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
    st.integers(0, 2),  # all but the last have one text
    st.integers(1, 2),
    st.sampled_from(PEOPLE),
)  # few, so that they meet
steps = st.one_of(
    st.builds(requested, items, revisions, st.integers(1, 3), st.integers(1, 5)),
    st.builds(completed, items, revisions, people, st.integers(0, 2), st.just(False)),
    st.builds(completed, items, revisions, people, st.integers(0, 2), st.booleans()),
    st.builds(Claim, people),
    st.builds(
        lambda i, r, d: Ended(task_id=f"demo/i{i}@{r}.1", why="?", decided=d), items, revisions, st.booleans()
    ),
    st.builds(lambda i, r: Withdrawn(item=f"demo/i{i}", revision=r, why="withdrawn"), items, revisions),
    st.builds(Claim, people),
    st.builds(Rest),
)
one = st.just(1)
of_one_text = st.lists(  # so that copies meet: few ways to end, and many to be asked
    st.one_of(
        st.builds(requested, items, one, st.integers(1, 2), st.integers(1, 5)),
        st.builds(requested, items, st.just(2), one, st.integers(1, 5)),
        st.builds(completed, items, one, people, st.integers(0, 1), st.booleans()),
        st.builds(Claim, people),
        st.builds(lambda i, d: Ended(task_id=f"demo/i{i}@1.1", why="?", decided=d), items, st.booleans()),
        st.builds(Rest),
    ),
    min_size=8,
    max_size=30,
)


@pytest.fixture(scope="module")
def client(review_redis: Redis) -> Iterator[Client]:
    with Client.from_url(review_redis.url) as made:
        yield made


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(st.lists(steps, max_size=40), of_one_text))
def test_the_board_and_who_gets_what(client: Client, history: list[Step]) -> None:
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
            assert places(queue, client) == places_of(model, held, NOW)
            continue
        if isinstance(step, Rest):
            rest(queue, client)
            model.rested()
            assert places(queue, client) == places_of(model, held, NOW)
            continue
        change = with_offset(step, offset)
        model.apply(change)
        assert queue.apply(1, "topic/0", offset + 1, [change], REST)
        held = {
            (task, seat): person
            for (task, seat), person in held.items()
            if task in model.tasks and not lost(change, task, seat, history[:offset])
        }
        assert snapshot(queue, client) == state_of(model)
        assert places(queue, client) == places_of(model, held, NOW)
    assert snapshot(queue, client) == state_of(model)


def rest(queue: Queue, client: Client) -> None:
    """Let the time of all texts that rest be over."""
    key = f"review:{{{queue.name}}}:wake"
    for member in client.zrange(key, 0, -1):
        if member.startswith(b"x|"):
            client.zadd(key, {member: 0})
    queue.tick(REST)


def lost(change: Change, task: str, seat: int, before: list[Step]) -> bool:
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
    kinds = st.lists(steps.filter(lambda step: not isinstance(step, Claim | Rest)), max_size=12)
    drawn = data.draw(kinds)
    changes = [with_offset(step, n) for n, step in enumerate(drawn) if not isinstance(step, Claim | Rest)]
    one, other = opened(client), opened(client)
    one.apply(1, "topic/0", 100, changes, REST)
    for partition, change in enumerate(data.draw(st.permutations(changes))):
        other.apply(1, f"topic/{partition}", 100, [change], REST)
    assert snapshot(one, client) == snapshot(other, client)
    for queue in (one, other):
        nothing_waits_for_nothing(queue, client)
        rest(queue, client)
        nothing_waits_for_nothing(queue, client)


def nothing_waits_for_nothing(queue: Queue, client: Client) -> None:
    """A task that waits has what it waits for: a copy that is shown or begun, or a text that rests."""
    tasks = snapshot(queue, client)
    free, waits = places(queue, client)
    assert free | waits <= tasks.keys() and not free & waits
    texts = {task: client.hget(f"review:{{{queue.name}}}:task:{task}", "text") for task in tasks}
    resting = set(client.zrangebyscore(f"review:{{{queue.name}}}:wake", NOW / 2, "+inf"))
    for task in waits:
        voted = {
            each
            for each, (verdicts, back) in tasks.items()
            if verdicts.keys() - back and texts[each] == texts[task]
        }
        shown = {each for each in free if texts[each] == texts[task]}
        assert shown or voted or b"x|" + (texts[task] or b"") in resting
    assert {task for task, (verdicts, _) in tasks.items() if not verdicts} <= free | waits


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
