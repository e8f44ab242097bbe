"""How lines of JSON become rows: parsed as plain strings, and written as the table's own types column by column."""

import os
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from clickhouse_connect.driver.client import Client

from services.analytics.engine import DATABASE

# With LowCardinality the parser makes a column and a dictionary entry for each single value; a whole column is changed
# into it at a fraction of that. Plain types make reading the lines of a decision half as dear.
_LOW_CARDINALITY = re.compile(r"LowCardinality\((Nullable\(\w+\)|\w+)\)")


@contextmanager
def _readable(content: bytes) -> Iterator[str]:
    """A path under which this process finds the content. Where the system can, it is in memory alone: a process that
    is killed leaves no texts behind.
    """
    if not hasattr(os, "memfd_create"):
        with tempfile.NamedTemporaryFile(prefix="sluicegate-", suffix=".jsonl") as file:
            file.write(content)
            file.flush()
            yield file.name
        return
    with open(os.memfd_create("sluicegate-lines"), "wb") as memory:
        memory.write(content)
        memory.flush()
        yield f"/proc/self/fd/{memory.fileno()}"


class _Shape(NamedTuple):
    """The columns of a table, and the structure that its lines are parsed by, both as SQL has them."""

    columns: str
    structure: str


class Intake:
    """Inserts into the tables of one connection. Tables do not change while it lives."""

    def __init__(self, client: Client, settings: Mapping[str, Any]) -> None:
        """`settings` are ClickHouse's, for every insert."""
        self._client = client
        self._settings = dict(settings)
        self._embedded = client.uri.startswith("chdb:")
        self._shapes: dict[str, _Shape | None] = {}

    def put(self, table: str, columns: Sequence[str] | None, lines: Sequence[bytes], token: str) -> None:
        """Insert lines of JSONEachRow under a deduplication token, as one block. Raises DatabaseError."""
        settings = self._settings | {"insert_deduplication_token": token}
        shape = None if columns else self._shape(table)
        if shape is None:
            self._client.raw_insert(
                f"{DATABASE}.{table}",
                column_names=columns,
                insert_block=b"\n".join(lines),
                settings=settings,
                fmt="JSONEachRow",
            )
            return
        insert = f"INSERT INTO {DATABASE}.{table} ({shape.columns}) SETTINGS {_clause(settings)} SELECT {shape.columns}"
        if not self._embedded:
            sql = f"{insert} FROM input('{shape.structure}') FORMAT JSONEachRow"
            self._client.command(sql, data=b"\n".join(lines))
            return
        with _readable(b"\n".join(lines)) as path:
            self._client.command(f"{insert} FROM file('{path}', JSONEachRow, '{shape.structure}')")

    def _shape(self, table: str) -> _Shape | None:
        """None where the table computes columns from what is left out: only a plain insert does that."""
        if table not in self._shapes:
            rows = self._client.query(
                "SELECT name, type, default_kind FROM system.columns"
                f" WHERE database = '{DATABASE}' AND table = '{table}' ORDER BY position"
            ).result_rows
            computed = any(kind for _, _, kind in rows)
            self._shapes[table] = None if computed or not rows else _shape_of((n, t) for n, t, _ in rows)
        return self._shapes[table]


def _shape_of(columns: Any) -> _Shape:
    found = [(f"`{name}`", plain(kind)) for name, kind in columns]
    structure = ", ".join(f"{name} {kind}" for name, kind in found)
    return _Shape(", ".join(name for name, _ in found), structure.replace("\\", "\\\\").replace("'", "\\'"))


def plain(kind: str) -> str:
    """A type of ClickHouse without LowCardinality, however deep in it."""
    return _LOW_CARDINALITY.sub(r"\1", kind)


def _clause(settings: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} = '{value}'" for name, value in settings.items())
