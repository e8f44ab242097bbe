"""Rows are the same whichever way they are read, and a block comes in once under its token."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from services.analytics.engine import connect
from services.analytics.inserting import SETTINGS, is_about_values
from services.analytics.intake import Intake, plain
from services.analytics.migrations import load_migrations, migrate
from services.analytics.rows import table_of
from services.analytics.settings import AnalyticsSettings
from services.events.topics import load_topics

EXAMPLES = Path(__file__).parents[3] / "schemas" / "examples"
EVENTS = {name: topic.event for name, topic in load_topics().topics.items() if topic.event}
PLAIN, TAKEN_IN = 0, 1  # partitions


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    client = connect(AnalyticsSettings(var=tmp_path_factory.mktemp("var"), clickhouse_url=""))
    migrate(client, load_migrations())
    yield client
    client.close()


def lines_of(base: str, partition: int) -> list[bytes]:
    """The examples of a topic's schema, as lines of its table."""
    lines = []
    for offset, path in enumerate(sorted((EXAMPLES / EVENTS[base]).glob("*.json"))):
        place = {
            "_topic": base,
            "_partition": partition,
            "_offset": offset,
            "_timestamp": "2026-01-31T12:00:00Z",
        }
        lines.append(msgspec.json.encode(place | msgspec.json.decode(path.read_bytes())))
    return lines


@pytest.mark.parametrize("base", sorted(EVENTS))
def test_rows_are_those_of_a_plain_insert_and_come_once(client: Client, base: str) -> None:
    table = table_of(base)
    lines = lines_of(base, PLAIN)
    assert lines
    client.raw_insert(
        f"sluicegate.{table}", insert_block=b"\n".join(lines), settings=SETTINGS, fmt="JSONEachRow"
    )
    intake = Intake(client, SETTINGS)
    for _ in range(2):
        intake.put(table, None, lines_of(base, TAKEN_IN), f"token of {table}")

    def rows(partition: int) -> bytes:
        sql = f"SELECT * EXCEPT _partition FROM sluicegate.{table} WHERE _partition = {partition} ORDER BY _offset"
        return bytes(client.raw_query(sql, fmt="JSONEachRow"))

    assert rows(TAKEN_IN).count(b"\n") == len(lines)
    assert rows(TAKEN_IN) == rows(PLAIN)


def test_lines_leave_nothing_behind_whatever_the_system_can(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In memory where there are files in memory, else in a file that is gone afterwards."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    lines = lines_of("content.decided", partition=11)
    Intake(client, SETTINGS).put("content_decided", None, lines, "in memory")
    assert not list(tmp_path.iterdir())
    monkeypatch.delattr(os, "memfd_create")
    Intake(client, SETTINGS).put(
        "content_decided", None, lines_of("content.decided", partition=12), "in a file"
    )
    assert not list(tmp_path.iterdir())
    found = client.query(
        "SELECT _partition, count() FROM sluicegate.content_decided WHERE _partition IN (11, 12) GROUP BY 1 ORDER BY 1"
    ).result_rows
    assert [tuple(row) for row in found] == [(11, len(lines)), (12, len(lines))]


def test_what_a_table_computes_of_what_is_left_out_is_computed(client: Client) -> None:
    line = b'{"_topic":"policy.shadowed","_partition":7,"_offset":0,"_timestamp":"2026-01-31T12:00:00.000Z"}'
    Intake(client, SETTINGS).put("policy_shadowed", None, [line], "left out")
    rows = client.query("SELECT share FROM sluicegate.policy_shadowed WHERE _partition = 7").result_rows
    assert [tuple(row) for row in rows] == [(1.0,)]


@pytest.mark.parametrize(
    "wrong", ['"occurred_at":"2026-02-31T12:00:00.000Z"', '"revision":"x"', '"scores":1', '"final":tru', "x"]
)
def test_a_wrong_value_is_told_from_a_failure_of_the_engine(client: Client, wrong: str) -> None:
    good = (
        '{"_topic":"content.decided","_partition":8,"_offset":%d,"_timestamp":"2026-01-31T12:00:00.000Z"%s}'
    )
    lines = [(good % (0, "")).encode(), (good % (1, "," + wrong)).encode()]
    with pytest.raises(DatabaseError) as caught:
        Intake(client, SETTINGS).put("content_decided", None, lines, wrong)
    assert is_about_values(caught.value)
    rows = client.query("SELECT count() FROM sluicegate.content_decided WHERE _partition = 8").result_rows
    assert rows[0][0] == 0


def test_a_block_is_one_part_however_large(client: Client) -> None:
    line = '{"_topic":"content.decided","_partition":9,"_offset":%d,"_timestamp":"2026-01-31T12:00:00Z","x":"%s"}'
    lines = [(line % (offset, "x" * 150)).encode() for offset in range(140_000)]  # 32 MiB of small records
    Intake(client, SETTINGS).put("content_decided", None, lines, "large")
    parts = client.query(
        "SELECT uniqExact(_part), count() FROM sluicegate.content_decided WHERE _partition = 9"
    )
    assert [tuple(row) for row in parts.result_rows] == [(1, 140_000)]


def test_types_are_read_without_dictionaries() -> None:
    assert plain("LowCardinality(String)") == "String"
    assert plain("Array(Tuple(a LowCardinality(Nullable(String)), b Nullable(Float64)))") == (
        "Array(Tuple(a Nullable(String), b Nullable(Float64)))"
    )
    assert plain("DateTime64(3, 'UTC')") == "DateTime64(3, 'UTC')"
