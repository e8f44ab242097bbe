"""The board: a task is a function of the set of what is said of it, and of nothing else."""

from __future__ import annotations

from itertools import permutations

import pytest

from services.review.core.abilities import NONE, Abilities, in_words, needs, suffices
from services.review.core.board import Board, fold, next_task
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
