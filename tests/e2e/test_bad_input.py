"""Bad input through the whole stack: an answer that says what to do, or a dead letter; the stream goes on."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from confluent_kafka import KafkaError, KafkaException, Producer

from infra.local.access import DemoAccess
from infra.local.stack import Stack
from loadtests.desk import Desk, Refusal
from loadtests.posts import posts
from loadtests.rig import Rig
from loadtests.scan import scan
from loadtests.waiting import until
from tests.e2e.plans import with_changes

TOPIC = "content.submitted.demo"


def submitted(**changed: Any) -> bytes:
    """A good submission, but for what is changed; None takes a field away."""
    event: dict[str, Any] = {
        "schema": "content_submitted.v1",
        "source": "demo",
        "item_id": "bad",
        "revision": 1,
        "item": {"kind": "post", "text": "hello"},
    } | changed
    return json.dumps({name: value for name, value in event.items() if value is not None}).encode()


LETTERS = {
    "undecodable bytes": b"\xff\xfe\x00 no JSON at all",
    "cut off": submitted()[:-7],
    "wrong schema version": submitted(schema="content_submitted.v9"),
    "missing field": submitted(revision=None),
    "forged source": submitted(source="other"),
    "text past the limit": submitted(item={"kind": "post", "text": "x" * 600_000}),
}  # by what is wrong with them; as they are sent straight to Kafka

REFUSED = {
    "undecodable bytes": (b"\xff\xfe", 400),
    "no JSON": (b"{", 400),
    "wrong schema version": (submitted(schema="content_submitted.v9"), 422),
    "missing field": (submitted(item_id=None), 422),
    "forged source": (submitted(source="other"), 403),
    "text past the limit": (submitted(item={"kind": "post", "text": "x" * 600_000}), 413),
    "2 MB of text": (submitted(item={"kind": "post", "text": "x" * 2_000_000}), 413),
}  # the same over HTTP, and what is answered


@pytest.mark.timeout(900)
def test_what_platforms_send_straight_to_kafka_goes_to_dead_letter_and_the_stream_goes_on(
    stack: Stack, rig: Rig
) -> None:
    rig.shift()
    plays = with_changes(posts(120, 31, prefix="around-bad"))
    rig.player.play(plays[:60])
    producer = Producer({"bootstrap.servers": stack.settings.kafka, "partitioner": "murmur2_random"})
    for what, value in LETTERS.items():
        producer.produce(TOPIC, value, b"demo/bad", headers=[("test", what.encode())])
    assert producer.flush(60) == 0
    rig.player.play(plays[60:])
    rig.settled(360)
    assert rig.count().findings == []

    def letters() -> dict[bytes, str]:
        found = {}
        for seen in scan(stack.settings.kafka, ["dead.letter"]):
            if seen.value in LETTERS.values():
                found[seen.value] = seen.headers.get("reason", "")
        return found

    found = until(
        "every bad record on dead.letter", lambda: letters() if len(letters()) == 6 else None, 60, letters
    )
    assert found is not None
    for what, value in LETTERS.items():
        assert found[value], f"{what}: no reason in the headers"
    assert rig.clickhouse(180) == []


def test_two_megabytes_straight_to_kafka_are_refused_by_the_broker(stack: Stack) -> None:
    producer = Producer({"bootstrap.servers": stack.settings.kafka, "message.max.bytes": 3_000_000})
    errors: list[KafkaError | None] = []
    text = "".join(chr(65 + (i * 7919) % 61) for i in range(2_000_000))
    try:
        producer.produce(
            TOPIC,
            submitted(item={"kind": "post", "text": text}),
            b"demo/bad",
            on_delivery=lambda error, _: errors.append(error),
        )
    except KafkaException as error:
        errors.append(error.args[0])
    producer.flush(30)
    assert [error.code() for error in errors if error is not None] == [KafkaError.MSG_SIZE_TOO_LARGE]


@pytest.mark.parametrize("what", REFUSED)
def test_ingest_says_what_is_wrong(stack: Stack, access: DemoAccess, what: str) -> None:
    body, status = REFUSED[what]
    answer = httpx.post(
        f"{stack.settings.ingest_url}/v1/items",
        content=body,
        headers={"Authorization": f"Bearer {access.source_key}"},
        timeout=30,
    )
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"]


def test_a_batch_takes_the_good_lines_and_says_what_is_wrong_with_the_others(stack: Stack, rig: Rig) -> None:
    good = submitted(item_id="batch-good")
    answer = rig.http.post(
        "/v1/items:batch",
        content=b"\n".join([good, submitted(item_id=None), b"{"]),
        headers={"Authorization": f"Bearer {rig.access.source_key}"},
    )
    assert answer.status_code == 200
    assert [result["status"] for result in answer.json()["results"]] == [202, 422, 400]


def test_nobody_without_a_key_gets_in(stack: Stack) -> None:
    answer = httpx.post(f"{stack.settings.ingest_url}/v1/items", content=submitted(), timeout=30)
    assert answer.status_code == 401 and answer.json()["detail"]


def test_a_verdict_for_a_task_that_is_not_leased_is_refused(stack: Stack, access: DemoAccess) -> None:
    name, password = next(iter(access.accounts.items()))
    desk = Desk(stack.settings.review_url, name, password)
    desk.log_in()
    for token in ("general.1.1.0.0123456789abcdef0123456789abcdef", "nonsense"):
        with pytest.raises(Refusal) as refused:
            desk.decide({"task_id": "demo/bad@1.1", "token": token}, "remove", ["spam"])
        assert refused.value.status == 409 and "not leased" in str(refused.value)
    desk.close()
