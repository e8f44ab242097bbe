"""Migrations are applied once, in order, and may be cut off."""

from pathlib import Path

import pytest

from services.analytics.engine import Connection, connect
from services.analytics.migrations import ChangedMigration, Migration, load_migrations, migrate
from services.analytics.settings import AnalyticsSettings


def test_each_is_applied_once_and_none_may_change(tmp_path: Path) -> None:
    client = connect(AnalyticsSettings(var=tmp_path, clickhouse_url=""))
    first = Migration(1, "0001_a", "CREATE TABLE IF NOT EXISTS sluicegate.a (x Int8) ENGINE = Memory;\n")
    second = Migration(2, "0002_b", "ALTER TABLE sluicegate.a ADD COLUMN IF NOT EXISTS y Int8;\n")
    assert migrate(client, [first]) == ["0001_a"]
    assert migrate(client, [first, second]) == ["0002_b"]
    assert migrate(client, [first, second]) == []
    with pytest.raises(ChangedMigration):
        migrate(client, [Migration(1, "0001_a", "SELECT 1;\n"), second])
    client.close()


def test_all_may_be_applied_again_after_having_been_cut_off(tmp_path: Path) -> None:
    client = connect(AnalyticsSettings(var=tmp_path, clickhouse_url=""))
    for each in load_migrations():
        client.command("CREATE DATABASE IF NOT EXISTS sluicegate")
        for statement in each.statements():
            client.command(statement)
    assert migrate(client, load_migrations()) == [each.name for each in load_migrations()]
    client.close()


def test_what_a_failed_question_put_out_reaches_nobody_else(tmp_path: Path) -> None:
    settings = AnalyticsSettings(var=tmp_path, clickhouse_url="")
    connection = Connection(lambda: connect(settings))
    many = "SELECT number FROM numbers(1000000) SETTINGS max_result_rows = 10000"
    for _ in range(3):
        with pytest.raises(Exception, match="max rows"):
            connection.run(lambda client: client.raw_query(many, fmt="TabSeparated"))
        assert connection.run(lambda client: client.raw_query("SELECT 42", fmt="TabSeparated")) == b"42\n"
    connection.close()
