"""Verdicts become settlements and labels, once, and a withdrawal takes the label back."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from confluent_kafka import Producer

from services.events.codec import encode
from services.events.instants import to_millis
from services.runtime.clock import now_ms
from services.runtime.kafka import PRODUCER
from tests.integration.router.running import Line, retraction_of, verdict_on, wait_for
from tests.unit.adjudicator.making import closing, request, task


@pytest.fixture(scope="module", autouse=True)
def adjudicator(line: Line) -> Iterator[None]:
    line.start("adjudicator")
    yield


def ask(line: Line, item_id: str, votes: int = 1) -> dict[str, Any]:
    """Ask people about an item, as the router does."""
    event = request(votes, item_id=item_id, task_id=task().replace("post-1", item_id))
    event = msgspec.structs.replace(event, expires_at="2099-01-01T00:00:00.000Z")
    line.send(event)
    asked: dict[str, Any] = msgspec.to_builtins(event)
    return asked


def settled(line: Line, item_id: str) -> list[dict[str, Any]]:
    return [event for event in line.scan("review.settled") if event["item_id"] == item_id]


def test_a_verdict_settles_when_it_is_final_and_not_before(line: Line) -> None:
    verdict = verdict_on(ask(line, "plain"), "ada", "remove", undo_ms=1_500)
    line.send(verdict)
    wait_for("the settlement", lambda: settled(line, "plain"))
    (found,) = settled(line, "plain")
    assert to_millis(found["occurred_at"]) >= to_millis(verdict.final_at)
    assert found["agreed"] and found["votes"][0]["verdict_id"] == verdict.verdict_id
    (label,) = [event for event in line.scan("label.recorded") if event["item_id"] == "plain"]
    assert label["labels"] == [{"category": "toxicity", "value": True}, {"category": "spam", "value": False}]


def test_a_verdict_that_is_taken_back_settles_nothing(line: Line) -> None:
    asked = ask(line, "undone")
    mistaken = verdict_on(asked, "ada", "remove", undo_ms=1_000)
    line.send(mistaken, retraction_of(mistaken))
    wait_for("the time of the first", lambda: now_ms() > to_millis(mistaken.final_at))
    line.send(verdict_on(asked, "ada", "allow"))
    wait_for("the settlement", lambda: settled(line, "undone"))
    assert [event["action"] for event in settled(line, "undone")] == ["allow"]


def test_verdicts_that_come_before_their_request_and_a_kill_lose_nothing(line: Line) -> None:
    asked = {
        "item_id": "early",
        "task_id": "demo/early@1.1",
        "source": "demo",
        "revision": 1,
        "decision_seq": 1,
    }
    early = verdict_on({**asked, "queue": "general"}, "ada", "remove")
    line.send(early)
    line.kill("adjudicator")
    ask(line, "early", votes=2)
    line.send(verdict_on({**asked, "queue": "general"}, "grace", "remove", seat=1))
    wait_for("the settlement", lambda: settled(line, "early"))
    line.kill("adjudicator")
    ask(line, "early", votes=2)  # a repeat of what is settled
    line.send(verdict_on({**asked, "queue": "general"}, "joan", "allow"))  # a late verdict
    line.send(verdict_on(ask(line, "behind"), "ada", "allow"))
    wait_for("what came behind", lambda: settled(line, "behind"))
    (found,) = settled(line, "early")
    assert [vote["reviewer"] for vote in found["votes"]] == ["ada", "grace"]


def test_a_withdrawal_leaves_a_tombstone(line: Line) -> None:
    line.send(verdict_on(ask(line, "regretted"), "ada", "remove"))
    wait_for("the label", lambda: "demo/regretted" in labels(line))
    line.send(msgspec.structs.replace(closing(reason="withdrawn"), item_id="regretted"))
    wait_for("the tombstone", lambda: labels(line)["demo/regretted"] is None)


def labels(line: Line) -> dict[str, bytes | None]:
    """What a reader of the compacted topic is left with."""
    reader = line.reader("label.recorded")
    try:
        return {record.key.decode(): record.value for record in reader.to_end()}
    finally:
        reader.close()


def test_a_verdict_of_an_aborted_transaction_does_not_count(line: Line) -> None:
    asked = ask(line, "haunted")
    producer = Producer(PRODUCER | {"bootstrap.servers": line.settings.kafka, "transactional.id": "intruder"})
    producer.init_transactions(30)
    producer.begin_transaction()
    producer.produce("review.completed", encode(verdict_on(asked, "ghost", "remove")), b"demo/haunted")
    producer.flush(10)
    producer.abort_transaction(10)
    line.send(verdict_on(asked, "ada", "allow"))
    wait_for("the settlement", lambda: settled(line, "haunted"))
    assert [vote["reviewer"] for event in settled(line, "haunted") for vote in event["votes"]] == ["ada"]


def test_what_cannot_be_read_is_set_aside_and_the_stream_goes_on(line: Line) -> None:
    producer = Producer(PRODUCER | {"bootstrap.servers": line.settings.kafka})
    producer.produce("review.completed", b"{}", b"demo/x")
    producer.flush(10)
    line.send(verdict_on(ask(line, "next"), "ada", "allow"))
    wait_for("the next", lambda: settled(line, "next"))
    wait_for(
        "the dead letter", lambda: [letter["topic"] for letter in line.dead_letters()] == ["review.completed"]
    )
