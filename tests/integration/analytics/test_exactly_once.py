"""ClickHouse holds what a read-committed scan of Kafka holds, each record once, wherever the sink was killed."""

import json
import random
import signal
import subprocess
import sys
import time
from typing import Any

import pytest
from confluent_kafka import Producer

from services.analytics.engine import connect
from services.analytics.settings import AnalyticsSettings
from tests.integration.analytics.running import PLACES, ROOT, Place, World, committed

BAD = [
    b"\xff\xfe no json",
    b'{"schema":"content_submitted.v1"',
    b'{"schema":"content_submitted.v2","source":"demo","item_id":"x","revision":1,"item":{"kind":"post"}}',
    b'{"schema":"content_submitted.v1","source":"other","item_id":"x","revision":1,"item":{"kind":"post"}}',
    b'{"schema":"content_submitted.v1","source":"demo","revision":1,"item":{"kind":"post"}}',
    b'{"schema":"content_submitted.v1","source":"demo","item_id":"a","revision":1,"item":{"kind":"p"}}'
    b'{"_topic":"content.decided","_offset":1,"schema":"content_decided.v1"}',
    b"[]",
    b"",
    # Only ClickHouse sees that the name stands twice, and only the strict reader that the first value is none.
    b'{"schema":"content_submitted.v1","source":"demo","item_id":"twice","revision":1,'
    b'"item":{"kind":"No"},"item":{"kind":"post"}}',
]


def submitted(number: int, **more: Any) -> bytes:
    event = {
        "schema": "content_submitted.v1",
        "source": "demo",
        "item_id": f"post-{number}",
        "revision": 1,
        "item": {"kind": "post", "text": f"text {number} 🌞\n", "context": {"n": [number]}},
    }
    return json.dumps(event | more).encode()


def decided(number: int, **more: Any) -> bytes:
    event = {
        "schema": "content_decided.v1",
        "event_id": f"{number:032x}",
        "occurred_at": "2026-01-31T12:00:00.000Z",
        "source": "demo",
        "item_id": f"post-{number}",
        "revision": 1,
        "decision_seq": 0,
        "final": True,
        "action": "allow",
        "basis": "automated",
        "scores": [{"category": "toxicity", "probability": 0.5}],
        "circumstances": {"automation": True},
    }
    return json.dumps(event | more).encode()


def fill(producer: Producer, count: int, start: int = 0) -> None:
    """Transactions, committed and aborted, with everything in them that a sink may stumble over."""
    for first in range(start, start + count, 50):
        producer.begin_transaction()
        for number in range(first, first + 50):
            key = f"demo/post-{number}"
            producer.produce("content.submitted.demo", submitted(number), key)
            producer.produce("content.decided", decided(number), key)
        producer.produce("content.submitted.demo", BAD[first // 50 % len(BAD)], "demo/bad")
        producer.produce("label.recorded", None, f"demo/post-{first}")
        producer.produce(
            "dead.letter", b"\xff\x00raw", "k", headers={"topic": "x", "error": "e", "offset": "7"}
        )
        # A key twice: a forged place, and a value that comes twice. Both are refused as they are, and written anew.
        forged = (
            submitted(first, item_id=f"forged-{first}")[:-1] + b',"_topic":"content.decided","_offset":0}'
        )
        producer.produce("content.submitted.demo", forged, f"demo/forged-{first}")
        # A day that no calendar has passes our own writers' pattern, and no date column.
        producer.produce("content.decided", decided(first, occurred_at="2026-02-31T12:00:00.000Z"), "demo/b")
        if first % 200 == 50:
            producer.flush()
            producer.abort_transaction()
        else:
            producer.commit_transaction()


def sink(world: World, point: str, at: int, expected: int) -> subprocess.Popen[bytes]:
    with (world.var / "sink.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "tests.integration.analytics.crashing", point, str(at), str(expected)],
            cwd=ROOT,
            env=world.env,
            stdout=log,
            stderr=log,
        )


def stored(world: World) -> list[Place]:
    client = connect(AnalyticsSettings(**world.settings()))
    rows = [(str(t), int(p), int(o)) for t, p, o in client.query(PLACES).result_rows]
    client.close()
    return rows


def assert_equal(world: World) -> None:
    rows, scan = stored(world), committed(world.kafka)
    log = (world.var / "sink.log").read_text()[-3000:]
    assert len(rows) == len(set(rows)), f"doubled: {sorted(p for p in set(rows) if rows.count(p) > 1)[:5]}"
    assert set(rows) == set(scan), (
        f"lost {sorted(set(scan) - set(rows))[:5]}, invented: {set(rows) - set(scan)}\n{log}"
    )


def values(world: World, sql: str) -> list[tuple[Any, ...]]:
    client = connect(AnalyticsSettings(**world.settings()))
    rows = [tuple(row) for row in client.query(sql).result_rows]
    client.close()
    return rows


@pytest.fixture
def writer(world: World) -> Producer:
    producer = world.producer(**{"transactional.id": "test-sink"})
    producer.init_transactions(30)
    return producer


@pytest.mark.parametrize("point", ["opened", "inserted", "unclosed", "logged"])
def test_killed_at_a_point_it_loses_and_doubles_nothing(world: World, writer: Producer, point: str) -> None:
    fill(writer, 400)
    expected = len(committed(world.kafka))
    assert sink(world, point, 2, expected).wait(90) == 9
    assert len(set(stored(world))) < expected, "it was killed in the midst of it"
    assert sink(world, "recovering", 0, expected).wait(90) == 9, "and once more while it recovers"
    assert sink(world, "never", 0, expected).wait(90) == 0
    assert_equal(world)
    ((view,),) = values(world, "SELECT sum(records) FROM sluicegate.submitted_by_minute")
    ((rows,),) = values(world, "SELECT count() FROM sluicegate.content_submitted")
    if point != "logged":  # there the part was taken away after its view had been filled
        assert view == rows


def test_killed_often_at_any_moment_it_loses_and_doubles_nothing(world: World, writer: Producer) -> None:
    chance = random.Random(5)
    kills = 0
    for round_ in range(5):
        fill(writer, 200, start=round_ * 200)
        running = sink(world, "never", 0, 10**9)
        time.sleep(chance.uniform(1.5, 3.5))
        running.send_signal(signal.SIGKILL)
        assert running.wait() == -signal.SIGKILL
        kills += 1
    assert kills == 5
    assert sink(world, "never", 0, len(committed(world.kafka))).wait(90) == 0
    assert_equal(world)
    ((view,),) = values(world, "SELECT sum(records) FROM sluicegate.submitted_by_minute")
    ((rows,),) = values(world, "SELECT count() FROM sluicegate.content_submitted")
    assert view == rows


def test_bad_values_are_set_aside_byte_for_byte_and_nobody_forges_a_place(
    world: World, writer: Producer
) -> None:
    fill(writer, 450)
    scan = committed(world.kafka)
    assert sink(world, "never", 0, len(scan)).wait(90) == 0
    assert_equal(world)
    bad = values(world, "SELECT _topic, _partition, _offset, hex(value), error FROM sluicegate.bad_rows")
    for topic, partition, offset, value, _ in bad:
        assert bytes.fromhex(value) == scan[topic, partition, offset][1]
    assert {"undecodable", "wrong_schema", "forged_source", "refused"} <= {row[4] for row in bad}
    assert {row[4] for row in bad if b'"twice"' in bytes.fromhex(row[3])} == {"undecodable"}
    forged = values(
        world, "SELECT DISTINCT _topic FROM sluicegate.content_submitted WHERE startsWith(item_id, 'forged-')"
    )
    assert forged == [("content.submitted.demo",)]
    assert values(
        world, "SELECT count() FROM sluicegate.content_decided WHERE _offset = 0 AND item_id = ''"
    ) == [(0,)]
    tombstones = values(world, "SELECT _topic, _partition, _offset, key FROM sluicegate.tombstones")
    assert tombstones
    assert all(scan[topic, p, o] == (key.encode(), None) for topic, p, o, key in tombstones)
    letters = values(
        world, "SELECT DISTINCT hex(value), key, topic, error, offset FROM sluicegate.dead_letter"
    )
    assert (b"\xff\x00raw".hex().upper(), "k", "x", "e", 7) in letters
    texts = values(
        world, "SELECT item.text, item.context FROM sluicegate.content_submitted WHERE item_id = 'post-7'"
    )
    assert texts[0] == ("text 7 🌞\n", '{"n":[7]}')
