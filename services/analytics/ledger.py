"""The ledger of blocks: written before an insert, closed after it. It, not Kafka, knows how far the sink has come."""

from collections.abc import Iterable

import msgspec
from clickhouse_connect.driver.client import Client

from services.analytics.engine import DATABASE
from services.analytics.rows import Block, Range
from services.runtime.positions import Partition

TABLE = f"{DATABASE}.blocks"


class OpenBlock(msgspec.Struct, frozen=True):
    """A block that was begun and may or may not be there."""

    token: str
    destination: str
    ranges: tuple[Range, ...]


class Ledger:
    """In ClickHouse, beside the rows that it is about."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def open(self, blocks: Iterable[Block]) -> None:
        """These are about to be inserted."""
        self._write(((block.token, block.destination, block.ranges) for block in blocks), "open")

    def close(self, blocks: Iterable[Block]) -> None:
        """These are inserted."""
        self._write(((block.token, block.destination, block.ranges) for block in blocks), "closed")

    def close_open(self, block: OpenBlock) -> None:
        """This one, found open, is inserted."""
        self._write([(block.token, block.destination, block.ranges)], "closed")

    def open_blocks(self) -> list[OpenBlock]:
        """Blocks begun by a process that ended before it closed them."""
        rows = self._client.query(
            f"SELECT token, any(destination), topic, partition, any(first), any(last), any(records) FROM {TABLE}"
            f" WHERE token IN (SELECT token FROM {TABLE} GROUP BY token HAVING max(state) = 'open')"
            " GROUP BY token, topic, partition ORDER BY token, topic, partition"
        ).result_rows
        found: dict[tuple[str, str], list[Range]] = {}
        for token, destination, topic, partition, first, last, records in rows:
            found.setdefault((token, destination), []).append(Range(topic, partition, first, last, records))
        return [OpenBlock(token, table, tuple(ranges)) for (token, table), ranges in found.items()]

    def positions(self) -> dict[Partition, int]:
        """The next offset of every partition that has been read from."""
        rows = self._client.query(
            "SELECT topic, partition, max(next) FROM ("
            f"SELECT topic, partition, last + 1 AS next FROM {TABLE} UNION ALL "
            f"SELECT topic, partition, next FROM {DATABASE}.positions) GROUP BY topic, partition"
        ).result_rows
        return {(str(topic), int(partition)): int(after) for topic, partition, after in rows}

    def _write(self, blocks: Iterable[tuple[str, str, tuple[Range, ...]]], state: str) -> None:
        lines = [
            msgspec.json.encode(
                {
                    "token": token,
                    "destination": destination,
                    "topic": each.topic,
                    "partition": each.partition,
                    "first": each.first,
                    "last": each.last,
                    "records": each.records,
                    "state": state,
                }
            )
            for token, destination, ranges in blocks
            for each in ranges
        ]
        if lines:
            self._client.raw_insert(TABLE, insert_block=b"\n".join(lines), fmt="JSONEachRow")
