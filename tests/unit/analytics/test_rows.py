"""What a record is to ClickHouse."""

import json

import pytest

from services.analytics import CONSUMES, PRODUCES
from services.analytics.rows import (
    MAX_BLOCK_BYTES,
    Bad,
    Block,
    Classifier,
    blocks_of,
    event_line,
    letter_line,
    lines_of,
    table_of,
)
from services.events.schemas import SCHEMAS
from services.events.topics import load_topics
from services.runtime.records import Record

TOPICS = load_topics()
CLASSIFIER = Classifier(TOPICS)
GOOD = b'{"schema":"content_submitted.v1","source":"demo","item_id":"x","revision":1,"item":{"kind":"post"}}'


def record(
    value: bytes | None, topic: str = "content.submitted.demo", offset: int = 7, partition: int = 2
) -> Record:
    base = ".".join(topic.split(".")[:2])
    return Record(topic, base, partition, offset, b"demo/x", value, 1_790_000_000_000)


def test_it_declares_what_topics_yaml_says() -> None:
    assert set(CONSUMES) == set(TOPICS.consumed_by("analytics"))
    assert set(PRODUCES) == set(TOPICS.produced_by("analytics"))


def test_every_example_of_the_contract_is_a_row_of_its_table() -> None:
    for topic in TOPICS.topics.values():
        for path in sorted((SCHEMAS / "examples" / str(topic.event)).glob("*.json")):
            suffix = {"source": ".demo", "queue": ".general", None: ""}[topic.per]
            taken = record(path.read_bytes(), topic.name + suffix)
            assert CLASSIFIER.destination(taken) == table_of(topic.name), path


@pytest.mark.parametrize(
    ("value", "error"),
    [
        (b"", "undecodable"),
        (b"{}", "undecodable"),
        (b"\xff", "undecodable"),
        (GOOD.replace(b"post", b"po\xffst"), "undecodable"),
        (GOOD + GOOD, "undecodable"),
        (GOOD + b"\n" + GOOD, "undecodable"),
        (GOOD.replace(b"v1", b"v2"), "wrong_schema"),
        (GOOD.replace(b"demo", b"other"), "forged_source"),
        (GOOD.replace(b'"revision":1,', b""), "undecodable"),
    ],
)
def test_what_is_no_event_of_its_topic_is_bad(value: bytes, error: str) -> None:
    bad = CLASSIFIER.fault(record(value))
    assert isinstance(bad, Bad)
    assert bad.error == error
    assert CLASSIFIER.destination(record(value)) == "bad_rows"


def test_our_own_events_are_checked_to_be_one_object_of_the_schema() -> None:
    value = b'{"schema":"review_closed.v1"}'
    assert CLASSIFIER.fault(record(value, "review.closed")) is None
    assert CLASSIFIER.fault(record(value * 2, "review.closed")) is not None


def test_a_line_begins_with_where_it_is_from() -> None:
    pretty = json.dumps(json.loads(GOOD), indent=2).encode()
    line = event_line(record(pretty), pretty)
    assert line.startswith(
        b'{"_topic":"content.submitted.demo","_partition":2,"_offset":7,"_timestamp":"2026-09-21T14:13:20.000Z",'
    )
    assert b"\n" not in line
    assert json.loads(line)["item"] == {"kind": "post"}


def test_a_clock_gone_wild_is_kept_within_what_a_column_holds() -> None:
    for timestamp in (-1, 2**62):
        wild = Record("review.closed", "review.closed", 0, 0, b"", GOOD, timestamp)
        assert json.loads(event_line(wild, GOOD))["_timestamp"][:4] in ("1970", "2100")


def test_doubled_keys_are_mended_to_the_last_as_services_read_them() -> None:
    mended = CLASSIFIER.mended(record(GOOD[:-1] + b',"item_id":"y","_topic":"content.decided"}'))
    assert isinstance(mended, bytes)
    pairs = json.loads(mended, object_pairs_hook=list)
    assert [value for key, value in pairs if key == "item_id"] == ["y"]
    assert [value for key, value in pairs if key == "_topic"] == ["content.submitted.demo"]


def test_a_dead_letter_keeps_its_bytes_and_survives_any_header() -> None:
    headers = (
        ("error", b"\xff"),
        ("partition", b"x"),
        ("offset", b"9"),
        ("timestamp", b"-1"),
        ("failed_at", b"5"),
    )
    letter = Record("dead.letter", "dead.letter", 0, 1, b"\x00", None, 5, headers)
    row = json.loads(letter_line(letter))
    assert (row["partition"], row["offset"], row["timestamp"], row["failed_at"]) == (
        0,
        9,
        None,
        "1970-01-01T00:00:00.005Z",
    )


def test_blocks_hold_each_record_once_by_table_in_order() -> None:
    records = [record(GOOD, offset=n) for n in (3, 1, 2)] + [
        record(None, "label.recorded"),
        record(b"x", offset=4),
    ]
    blocks = blocks_of(records, CLASSIFIER)
    assert [(block.destination, [r.offset for r in block.records]) for block in blocks] == [
        ("bad_rows", [4]),
        ("content_submitted", [1, 2, 3]),
        ("tombstones", [7]),
    ]
    assert [len(lines_of(block, CLASSIFIER)) for block in blocks] == [1, 3, 1]


def test_a_token_is_that_of_its_records_in_whatever_order_they_came() -> None:
    records = [record(GOOD, offset=n, partition=p) for n in range(3) for p in range(2)]
    one, other = blocks_of(records, CLASSIFIER), blocks_of(reversed(records), CLASSIFIER)
    assert [block.token for block in one] == [block.token for block in other]
    (less,) = blocks_of(records[:-1], CLASSIFIER)
    assert less.token != one[0].token
    assert Block("content_decided", one[0].records).token != one[0].token


def test_a_block_is_small_enough_to_be_one_part() -> None:
    big = GOOD[:-1] + b',"x":"' + b"x" * 900_000 + b'"}'
    blocks = blocks_of([record(big, "review.closed", offset=n) for n in range(75)], CLASSIFIER)
    assert [len(block.records) for block in blocks] == [37, 37, 1]
    assert all(sum(len(r.value or b"") for r in block.records) <= MAX_BLOCK_BYTES for block in blocks)


def test_runs_and_ranges_are_those_of_each_partition() -> None:
    places = [("content.submitted.a", 0), ("content.submitted.a", 10), ("content.submitted.b", 2)]
    records = [record(GOOD, topic, partition=p, offset=n * n) for topic, p in places for n in range(1, 5)]
    block = Block("content_submitted", tuple(records))
    assert [(r.topic, r.partition, r.first, r.last, r.records) for r in block.ranges] == [
        (topic, p, 1, 16, 4) for topic, p in places
    ]
    assert [each for run in block.runs for each in run] == records


def test_lines_of_a_block_are_those_of_its_records() -> None:
    values = [
        GOOD,
        b" \t" + GOOD,
        json.dumps(json.loads(GOOD), indent=2).encode(),
        GOOD.replace(b",", b",\r"),
    ]
    records = [record(value, partition=p, offset=n) for p in (0, 1) for n, value in enumerate(values)]
    (block,) = blocks_of(records, CLASSIFIER)
    assert lines_of(block, CLASSIFIER) == [event_line(each, each.value or b"") for each in records]
    assert all(json.loads(line)["item"] == {"kind": "post"} for line in lines_of(block, CLASSIFIER))


@pytest.mark.parametrize(
    ("base", "value", "table"),
    [
        ("review.closed", b'{"schema":"review_closed.v1"}', "review_closed"),
        ("review.closed", b' {"x":[1],"schema":"review_closed.v1"}\n', "review_closed"),
        ("review.closed", '{"x":"\u00fc","schema":"review_closed.v1"}'.encode(), "review_closed"),
        ("review.closed", b'{"x":"\xff","schema":"review_closed.v1"}', "bad_rows"),
        ("review.closed", b'{"schema":"review_closed.v2"}', "bad_rows"),
        ("review.closed", b'{"schema":"review_closed.v1"', "bad_rows"),
        (
            "review.closed",
            b'{"schema":"review_closed.v1","x":' + b"[" * 5000 + b"]" * 5000 + b"}",
            "bad_rows",
        ),
        ("review.closed", None, "tombstones"),
        ("dead.letter", None, "dead_letter"),
    ],
)
def test_one_look_at_a_value_says_what_a_closer_look_says(base: str, value: bytes | None, table: str) -> None:
    taken = record(value, base)
    assert CLASSIFIER.destination(taken) == table
    if value is not None:
        assert (CLASSIFIER.fault(taken) is not None) == (table == "bad_rows")
