"""Questions of analysts in SQL: one SELECT, on the tables of the events, within limits."""

from typing import Any

import msgspec
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from services.analytics.core.sql import NotAllowed, allowed, check
from services.analytics.engine import Connection

MAX_SQL = 20_000  # characters
BEGINNINGS = ("SELECT", "WITH", "(")
TOO_MUCH = {
    "TIMEOUT_EXCEEDED": "it takes too long: narrow the time or the rows",
    "TOO_SLOW": "it takes too long: narrow the time or the rows",
    "MEMORY_LIMIT_EXCEEDED": "it takes too much memory: narrow it, or group by less",
    "TOO_MANY_ROWS_OR_BYTES": "the answer has too many rows: add LIMIT",
    "TOO_MANY_ROWS": "it reads too many rows: narrow the time or the source",
}


class BadQuestion(Exception):
    """A question that has no answer: not allowed, not SQL, too much."""


class Questions:
    """On a connection of `connect_analyst`. One question at a time; the others wait."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        sql = "SELECT name, alias_to, toString(categories), is_aggregate != 0 FROM system.functions"
        rows = connection.run(lambda client: client.query(sql)).result_rows
        self._allowed = allowed((str(n), str(a), str(c), bool(g)) for n, a, c, g in rows)

    def ask(self, sql: str) -> dict[str, Any]:
        """`meta` (name and type of each column), `data` (rows), `rows`. Raises BadQuestion with what to do."""
        if len(sql) > MAX_SQL:
            raise BadQuestion(f"a question has at most {MAX_SQL} characters")
        try:
            found = self._connection.run(lambda client: self._answer(client, sql))
        except NotAllowed as error:
            raise BadQuestion(str(error)) from error
        except DatabaseError as error:
            raise BadQuestion(_reason(error)) from error
        except msgspec.DecodeError as error:  # chDB writes what WITH TOTALS adds in the wrong place
            raise BadQuestion("no answer that can be read: leave out WITH TOTALS") from error
        return {"meta": found["meta"], "data": found["data"], "rows": found["rows"]}

    def _answer(self, client: Client, sql: str) -> dict[str, Any]:
        """Parsed, judged, and only then run: as ClickHouse writes it, one statement and without comments."""
        one = client.query("SELECT formatQuerySingleLine({sql:String})", parameters={"sql": sql})
        question = str(one.result_rows[0][0])
        if not question.startswith(BEGINNINGS):
            raise NotAllowed("only SELECT is for analysts")
        # In brackets there can be no INTO OUTFILE and no FORMAT.
        tree = client.query(f"EXPLAIN AST SELECT * FROM (\n{question}\n)")
        check((str(row[0]) for row in tree.result_rows), self._allowed)
        answer: dict[str, Any] = msgspec.json.decode(client.raw_query(question, fmt="JSONCompact"))
        return answer


def _reason(error: DatabaseError) -> str:
    """What ClickHouse says, in a line, without stack and paths."""
    if error.name in TOO_MUCH:
        return TOO_MUCH[error.name]
    text = str(error).splitlines()[0].replace("DB::Exception: ", "")
    return text.split(" In scope ")[0].split(" (version ")[0][:600]
