"""ClickHouse: chDB in this process, or a server. One connection for each kind of work: none waits for another."""

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from clickhouse_connect.driver import create_client
from clickhouse_connect.driver.client import Client

from services.analytics.settings import AnalyticsSettings

DATABASE = "sluicegate"

T = TypeVar("T")


def connect(settings: AnalyticsSettings) -> Client:
    """A connection that may write. chDB takes one process a folder; a second one fails here."""
    return _client(settings, "default")


def connect_reader(settings: AnalyticsSettings) -> Client:
    """A connection for our own questions, in the database of the events."""
    return _client(settings, DATABASE)


def connect_analyst(settings: AnalyticsSettings) -> Client:
    """A connection that can only read, with the limits of the settings: what is set last cannot be unset."""
    limits = {
        "max_execution_time": settings.query_seconds,
        "timeout_before_checking_execution_speed": 0,
        "max_memory_usage": settings.query_megabytes * 1_000_000,
        "max_rows_to_read": settings.query_read_rows,
        "max_result_rows": settings.query_rows,
        "max_result_bytes": 32_000_000,
        "result_overflow_mode": "throw",
        "max_threads": 2,
        "max_subquery_depth": 50,
        "allow_introspection_functions": 0,
        "output_format_json_quote_64bit_integers": 0,
        "output_format_json_quote_denormals": 1,
        "readonly": 1,
    }
    client = _client(settings, DATABASE)
    if settings.clickhouse_url:
        client.close()
        return create_client(
            dsn=settings.clickhouse_url, database=DATABASE, settings=limits, autogenerate_session_id=False
        )
    client.command(f"USE {DATABASE}")
    for name, value in limits.items():
        client.command(f"SET {name} = {value!r}")
    return client


class Connection:
    """One connection for several threads, one question at a time; a fresh one after a failure.

    chDB 4.4 hands what a failed question had put out so far to the next one on the same connection (measured): an
    answer of somebody else's. A connection that failed is never used again.
    """

    def __init__(self, connect: Callable[[], Client]) -> None:
        self._connect = connect
        self._lock = threading.Lock()
        self._client: Client | None = connect()

    def run(self, work: Callable[[Client], T]) -> T:
        """What `work` makes of the connection."""
        with self._lock:
            client = self._client or self._connect()
            self._client = None
            try:
                found = work(client)
            except BaseException:
                client.close()
                raise
            self._client = client
            return found

    def close(self) -> None:
        """Give it back."""
        with self._lock:
            if self._client is not None:
                self._client.close()
            self._client = None


def _client(settings: AnalyticsSettings, database: str) -> Client:
    if settings.clickhouse_url:
        return create_client(dsn=settings.clickhouse_url, database=database, autogenerate_session_id=False)
    # Memory that was freed is used again for a minute before the system gets it back: blocks are of a size, and to be
    # given each page anew, zeroed, took a tenth of what inserting and merging cost. Read when the engine is loaded.
    os.environ.setdefault("JE_MALLOC_CONF", "dirty_decay_ms:60000")
    folder = Path(settings.var).absolute() / "clickhouse"
    folder.mkdir(parents=True, exist_ok=True)
    return create_client(interface="chdb", path=str(folder), database=database)
