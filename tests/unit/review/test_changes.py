"""What records change, what people are shown, what is remembered."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from services.events.types import ReviewChanged
from services.review.core.changes import (
    Completed,
    Ended,
    Paused,
    Requested,
    Withdrawn,
    change_of,
    sheet,
    text_of,
)
from tests.unit.review.builders import ID, NOW, TASK, closed, completed, requested, settled


def test_a_request_concerns_its_queue() -> None:
    found = change_of(requested(votes_wanted=3), 9)
    assert found is not None
    queue, change = found
    assert queue == "general" and isinstance(change, Requested)
    assert (change.offset, change.task_id, change.item, change.wanted) == (9, TASK, "demo/post-1", 3)
    assert (change.deadline, change.expires, change.lease_ms) == (NOW + 1000, NOW + 10_000, 60_000)
    assert json.loads(change.body)["item"]["text"] == "hello"


def test_age_counts_from_the_acceptance_of_the_item() -> None:
    found = change_of(requested(accepted_at="2026-01-01T00:00:00.000Z"))
    assert found is not None and isinstance(found[1], Requested)
    assert found[1].accepted == 1_767_225_600_000


def test_an_audit_shows_nothing_of_what_the_model_said() -> None:
    shown = json.dumps(sheet(requested(purpose="audit")))
    for hidden in ("0.6", "uncertain", "m@1", "weight"):
        assert hidden not in shown
    assert json.loads(shown)["categories"] == ["hate", "toxicity"]


def test_a_verdict_is_remembered_without_its_note() -> None:
    found = change_of(completed("ada", "a" * 32), 4)
    assert found is not None and isinstance(found[1], Completed)
    assert found[1].offset == 4
    assert "between us" not in found[1].record
    assert json.loads(found[1].record)["action"] == "remove"


def test_closings_concern_every_queue() -> None:
    assert change_of(closed(TASK, reason="expired")) == (None, Ended(task_id=TASK, why="expired"))
    assert change_of(closed(revision=2)) == (
        None,
        Withdrawn(item="demo/post-1", revision=2, why="withdrawn"),
    )


def test_a_decision_on_a_copy_is_known_as_one() -> None:
    assert change_of(closed(TASK, reason="copy_decided")) == (
        None,
        Ended(task_id=TASK, why="copy_decided", decided=True),
    )


def test_what_may_wait_for_a_copy_is_what_the_router_says_and_what_the_same_people_may_do() -> None:
    def text(**more: Any) -> str:
        return text_of(requested(**({"text_hash": "c" * 32, "follows_text": True} | more)))

    assert text() == text() != ""
    assert text(text_hash="d" * 32) != text()
    assert text(follows_text=False) == text(text_hash=None) == ""
    assert text(languages=("de",)) not in ("", text(), text(skills=("law",)))
    shown = sheet(requested(text_hash="c" * 32, follows_text=True))
    assert "text_hash" not in shown and "follows_text" not in shown


def test_settlements_say_what_was_settled() -> None:
    assert change_of(settled()) == ("general", Ended(task_id=TASK, why="agreed:remove", decided=True))
    assert change_of(settled(agreed=False)) == ("general", Ended(task_id=TASK, why="split"))


def test_pauses_change_a_queue_and_epochs_do_not() -> None:
    def changed(what: str) -> ReviewChanged:
        raw = {
            "schema": "review_changed.v1",
            "event_id": ID,
            "occurred_at": "2026-01-01T00:00:00.000Z",
            "change": what,
            "queue": "general",
            "changed_by": "root",
        }
        return msgspec.convert(raw, ReviewChanged)

    assert change_of(changed("queue_paused")) == ("general", Paused(paused=True))
    assert change_of(changed("queue_resumed")) == ("general", Paused(paused=False))
    assert change_of(changed("epoch_started")) is None
