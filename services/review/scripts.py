"""The Lua scripts of review, each of them one atomic step on the board of a queue."""

from functools import cache
from pathlib import Path
from typing import Any

from redis import Redis

LUA = Path(__file__).parent / "lua"
SHARED = ("board", "near", "texts", "moves")
NAMES = (
    *("apply", "claim", "reserve", "unreserve", "mark", "extend", "release"),
    *("find", "give_back", "tick", "look", "begin", "open"),
)


@cache
def source(name: str) -> str:
    """The text of a script: what all share, then its own."""
    return "".join((LUA / f"{part}.lua").read_text("utf-8") for part in (*SHARED, name))


class Scripts:
    """Calls scripts by name on one Redis; they are loaded where Redis has forgotten them."""

    def __init__(self, client: Redis) -> None:
        self._scripts = {name: client.register_script(source(name)) for name in NAMES}

    def call(self, name: str, meta: str, *args: str | int | bytes) -> Any:
        """What the script answers: bytes, ints and lists of them. Raises redis.RedisError."""
        return self._scripts[name](keys=[meta], args=list(args))
