"""The board: a task is a function of the set of what is said of it, and of nothing else."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from services.events.types import ReviewRequested
from services.review.core.abilities import NONE, Abilities, in_words, needs, suffices
from services.review.core.board import Board, fold, next_task, waiting
from services.review.core.changes import Change, Event, change_of
from tests.unit.review.builders import NOW, TASK, closed, completed, requested, settled

A, B = "a" * 32, "b" * 32


def board(*events: Event) -> Board:
    """What the events come to, read in this order; their offsets stay those of this order."""
    return fold(changes(*events))


def changes(*events: Event) -> list[Change]:
    found = [change_of(event, offset) for offset, event in enumerate(events)]
    return [each[1] for each in found if each]


@pytest.mark.parametrize(
    "events",
    [
        [requested(), completed("ada", A), completed("grace", B)],
        [requested(), completed("ada", A), completed("ada", A, retraction=True), completed("ada", B)],
        [requested(), completed("ada", A), settled()],
        [requested(), completed("ada", A), closed()],
        [requested(), requested("demo/post-1@2.1"), closed(revision=1), completed("ada", A)],
    ],
)
def test_the_order_of_arrival_does_not_matter(events: list[Event]) -> None:
    expected = fold(changes(*events)).open()
    for order in permutations(changes(*events)):
        assert fold(order).open() == expected


def test_the_first_verdict_that_kafka_has_takes_the_seat() -> None:
    task = board(requested(), completed("grace", B), completed("ada", A)).tasks[TASK]
    holder = task.holder(0)
    assert holder is not None and holder.reviewer == "grace"
    assert task.open_seats() == []


def test_a_retraction_frees_the_seat() -> None:
    task = board(requested(), completed("ada", A), completed("ada", A, retraction=True)).tasks[TASK]
    assert task.open_seats() == [0]


def test_a_closing_of_the_item_ends_revisions_up_to_it() -> None:
    newer = "demo/post-1@3.1"
    found = board(requested(), requested(newer), closed(revision=2), requested("demo/post-1@2.1"))
    assert found.open().keys() == {newer}


def test_the_earliest_deadline_is_given_first_and_names_break_ties() -> None:
    late = requested("demo/late@1.1", deadline="2026-03-01T00:00:00.000Z")
    found = board(late, requested("demo/b@1.1"), requested("demo/a@1.1"))
    assert next_task(found, "ada", {}, NOW) == ("demo/a@1.1", 0)
    held = {("demo/a@1.1", 0): "grace", ("demo/b@1.1", 0): "grace"}
    assert next_task(found, "ada", held, NOW) == ("demo/late@1.1", 0)


def test_nobody_is_given_what_they_hold_or_voted_on_or_what_has_expired() -> None:
    two = requested(votes_wanted=2)
    assert next_task(board(two), "ada", {(TASK, 0): "ada"}, NOW) is None
    assert next_task(board(two), "grace", {(TASK, 0): "ada"}, NOW) == (TASK, 1)
    assert next_task(board(two, completed("ada", A)), "ada", {}, NOW) is None
    assert next_task(board(two), "ada", {}, NOW + 10_000) is None


def test_a_task_goes_to_who_has_what_it_needs() -> None:
    asked = board(requested(skills=("law",), languages=("de", "nl")))
    able = Abilities(frozenset({"law"}), frozenset({"nl"}))
    assert next_task(asked, "ada", {}, NOW) is None
    assert next_task(asked, "ada", {}, NOW, able) == (TASK, 0)
    assert not suffices(Abilities(able.skills), needs(["law"], ["de"])) and not suffices(able, "law,tax|")
    assert suffices(NONE, needs([], [])) and needs(["b", "a"], []) == "a,b|"
    assert in_words(needs(["law"], ["de", "nl"])) == "the skill law, the language de or nl"


def copy(number: int, **more: Any) -> ReviewRequested:
    fields = {"text_hash": "c" * 32, "follows_text": True} | more
    return requested(f"demo/copy-{number}@1.1", **fields)


def test_of_one_text_the_earliest_is_given_out_and_the_others_wait_for_it() -> None:
    first = copy(3, deadline="2026-01-01T00:00:00.000Z")
    found = board(copy(1), copy(2), first, requested(), copy(4, text_hash="d" * 32))
    assert waiting(found, set(), NOW) == {"demo/copy-1@1.1", "demo/copy-2@1.1"}
    assert next_task(found, "ada", {}, NOW) == ("demo/copy-3@1.1", 0)
    others = {("demo/copy-3@1.1", 0): "ada", ("demo/copy-4@1.1", 0): "ada", (TASK, 0): "ada"}
    assert next_task(found, "grace", others, NOW) is None


def test_what_somebody_has_begun_is_what_the_others_wait_for() -> None:
    asked = board(copy(1), copy(2), copy(3))
    assert waiting(asked, {"demo/copy-2@1.1"}, NOW) == {"demo/copy-1@1.1", "demo/copy-3@1.1"}
    both = {"demo/copy-1@1.1", "demo/copy-2@1.1"}
    assert waiting(asked, both, NOW) == {"demo/copy-3@1.1"}
    answered = board(copy(1), copy(2), completed("ada", A, task="demo/copy-2@1.1"))
    assert waiting(answered, set(), NOW) == {"demo/copy-1@1.1"}


def test_one_that_has_expired_holds_nobody_up() -> None:
    expired = copy(1, deadline="2026-01-01T00:00:00.000Z", expires_at="2026-01-01T00:00:00.000Z")
    assert waiting(board(expired, copy(2)), set(), NOW) == set()


@pytest.mark.parametrize(
    "end", [closed("demo/copy-1@1.1", reason="edited"), settled(agreed=False, task="demo/copy-1@1.1")]
)
def test_the_next_takes_the_place_of_one_that_ends_undecided(end: Event) -> None:
    found = board(copy(1), copy(2), copy(3), end)
    assert waiting(found, set(), NOW) == {"demo/copy-3@1.1"}
    assert next_task(found, "ada", {}, NOW) == ("demo/copy-2@1.1", 0)


@pytest.mark.parametrize(
    "end", [settled(task="demo/copy-1@1.1"), closed("demo/copy-1@1.1", reason="copy_decided")]
)
def test_where_the_text_was_decided_all_wait_for_the_router_and_what_it_keeps_is_shown(end: Event) -> None:
    found = board(copy(1), copy(2), copy(3), end)
    assert waiting(found, set(), NOW) == {"demo/copy-2@1.1", "demo/copy-3@1.1"}
    found.apply(changes(copy(4))[0])
    assert next_task(found, "ada", {}, NOW) is None
    found.rested()
    assert waiting(found, set(), NOW) == set()
    found.apply(changes(copy(5))[0])
    found.apply(changes(copy(6))[0])
    assert waiting(found, set(), NOW) == {"demo/copy-6@1.1"}
