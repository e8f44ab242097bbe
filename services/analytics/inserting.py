"""Bringing a block into its table, exactly once, whatever one of its values is like."""

from collections.abc import Sequence
from typing import Any

import structlog
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from services.analytics.engine import DATABASE
from services.analytics.intake import Intake
from services.analytics.rows import BAD_ROWS, Bad, Block, Classifier, bad_line, columns_of, lines_of
from services.runtime.records import Record

log = structlog.get_logger()

SETTINGS: dict[str, Any] = {
    "async_insert": 0,
    "deduplicate_blocks_in_dependent_materialized_views": 1,  # a view that was cut off is filled by the repeat
    "input_format_parallel_parsing": 0,  # one block, so that it is there or it is not
    "max_threads": 1,  # the same where lines are selected from: several threads would make several blocks
    "input_format_skip_unknown_fields": 1,  # readers ignore what they do not know
    "input_format_null_as_default": 1,
    "input_format_json_read_objects_as_strings": 1,  # what only passes through stays as it is written
    "input_format_json_defaults_for_missing_elements_in_named_tuple": 1,
    "input_format_json_ignore_unknown_keys_in_named_tuple": 1,
    "date_time_input_format": "best_effort",
}
VALUE_ERRORS = {  # names of ClickHouse's errors that a value causes; anything else is tried again
    "ARGUMENT_OUT_OF_BOUND",
    "BAD_ARGUMENTS",
    "CANNOT_CONVERT_TYPE",
    "CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN",
    "CANNOT_READ_ALL_DATA",
    "CANNOT_READ_ARRAY_FROM_TEXT",
    "CANNOT_READ_MAP_FROM_TEXT",
    "DECIMAL_OVERFLOW",
    "INCORRECT_DATA",
    "SYNTAX_ERROR",
    "TOO_DEEP_RECURSION",
    "TOO_LARGE_STRING_SIZE",
    "TYPE_MISMATCH",
    "UNEXPECTED_END_OF_FILE",
    "VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE",
}


class Inserting:
    """Inserts blocks. Whatever way a block takes, it takes the same one again, under the same tokens."""

    def __init__(self, client: Client, classifier: Classifier) -> None:
        self._client = client
        self._intake = Intake(client, SETTINGS)
        self._classifier = classifier

    def insert(self, block: Block, suffix: str = "") -> int:
        """Bring a block in; returns how many of its records were set aside as bad. Doing it again does nothing.

        Raises DatabaseError where ClickHouse fails for a reason that is not in the values.
        """
        table, token = block.destination, block.token + suffix
        lines = lines_of(block, self._classifier)
        if self._taken(table, lines, token):
            return 0
        log.warning("mending", table=table, records=len(lines))
        good: list[tuple[Record, bytes]] = []
        bad: list[tuple[Record, Bad]] = []
        for record in block.records:
            mended = self._classifier.mended(record)
            if isinstance(mended, Bad):
                bad.append((record, mended))
            else:
                good.append((record, mended))
        if good and not self._taken(table, [line for _, line in good], token):
            bad += self._bisect(table, good, token)
        self._set_aside(bad, token)
        return len(bad)

    def present(self, block: Block) -> set[tuple[str, int, int]]:
        """Which of a block's records are there, as rows or as bad rows: topic, partition, offset."""
        where = " OR ".join(
            f"(_topic = '{each.topic}' AND _partition = {each.partition}"
            f" AND _offset BETWEEN {each.first} AND {each.last})"
            for each in block.ranges
        )
        tables = {block.destination, BAD_ROWS}
        rows = self._client.query(
            " UNION ALL ".join(
                f"SELECT _topic, _partition, _offset FROM {DATABASE}.{table} WHERE {where}"
                for table in tables
            )
        ).result_rows
        return {(str(topic), int(partition), int(offset)) for topic, partition, offset in rows}

    def _bisect(
        self, table: str, pairs: Sequence[tuple[Record, bytes]], token: str
    ) -> list[tuple[Record, Bad]]:
        """Halve what is refused until it is one line; the rest goes in. Each half has a token of its own."""
        if len(pairs) == 1:
            record, line = pairs[0]
            refusal = self._refusal(table, [line], _part(token, pairs))
            return [(record, Bad("refused", refusal))] if refusal else []
        middle = len(pairs) // 2
        bad: list[tuple[Record, Bad]] = []
        for half in (pairs[:middle], pairs[middle:]):
            if not self._taken(table, [line for _, line in half], _part(token, half)):
                bad += self._bisect(table, half, token)
        return bad

    def _set_aside(self, bad: Sequence[tuple[Record, Bad]], token: str) -> None:
        if bad:
            lines = [bad_line(record, why) for record, why in bad]
            self._put(BAD_ROWS, lines, f"{token}:bad")

    def _taken(self, table: str, lines: Sequence[bytes], token: str) -> bool:
        return not self._refusal(table, lines, token)

    def _refusal(self, table: str, lines: Sequence[bytes], token: str) -> str:
        """Why ClickHouse does not take the values of these lines; empty when it does."""
        try:
            self._put(table, lines, token)
        except DatabaseError as error:
            if not is_about_values(error):
                raise
            return str(error)[:1000]
        return ""

    def _put(self, table: str, lines: Sequence[bytes], token: str) -> None:
        self._intake.put(table, columns_of(table), lines, token)


def is_about_values(error: DatabaseError) -> bool:
    """Whether an insert failed for what is in a line, and not for the state that the engine is in."""
    name = error.name or ""
    return name in VALUE_ERRORS or name.startswith("CANNOT_PARSE_")


def _part(token: str, pairs: Sequence[tuple[Record, bytes]]) -> str:
    first, last = pairs[0][0], pairs[-1][0]
    return (
        f"{token}:{first.topic}/{first.partition}/{first.offset}-{last.topic}/{last.partition}/{last.offset}"
    )
