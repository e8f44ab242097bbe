"""Ids and keys that are derived: the same inputs give the same id, so doing work twice writes the same event."""

from hashlib import blake2b
from typing import Literal, NamedTuple

_NOTHING_HASHED = blake2b(digest_size=16)


class Task(NamedTuple):
    """What a task id is made of."""

    source: str
    item_id: str
    revision: int
    number: int | Literal["audit"]


def derived_id(*parts: str | int) -> str:
    """32 hex digits of a 128-bit BLAKE2b hash over the parts, in order.

    Each part is written with its type and length, so ("a", "bc"), ("ab", "c") and ("a", 1), ("a", "1") all differ.
    """
    return hex_digest(_joined(parts))


def derived_id_within(before: str, part: str, after: str) -> str:
    """`derived_id(*a, part, *b)` where `before` is `id_part(*a)` and `after` is `id_part(*b)`: a third of the cost."""
    size = len(part) if part.isascii() else len(part.encode("utf-8", "surrogatepass"))
    return hex_digest(f"{before}s{size}:{part}{after}")


def id_part(*parts: str | int) -> str:
    """Parts of an id that many ids have in common, as `derived_id` writes them: to be kept by who makes them."""
    return _joined(parts)


def hex_digest(text: str) -> str:
    """32 hex digits of the 128-bit BLAKE2b hash of a text in UTF-8."""
    hashed = _NOTHING_HASHED.copy()  # a third cheaper than to begin
    hashed.update(text.encode("utf-8", "surrogatepass"))
    return hashed.hexdigest()


def _joined(parts: tuple[str | int, ...]) -> str:
    joined = ""
    for part in parts:
        if isinstance(part, int):
            digits = str(part)
            joined += f"i{len(digits)}:{digits}"
        elif part.isascii():
            joined += f"s{len(part)}:{part}"
        else:
            joined += f"s{len(part.encode('utf-8', 'surrogatepass'))}:{part}"
    return joined


def item_key(source: str, item_id: str) -> str:
    """Key of everything that is about one item; `.encode()` of it is the key of the record."""
    return f"{source}/{item_id}"


def task_id(source: str, item_id: str, revision: int, number: int | Literal["audit"]) -> str:
    """Id of the task that asks people for decision `number` of a revision, or for its audit."""
    return f"{source}/{item_id}@{revision}.{number}"


def parse_task_id(task: str) -> Task:
    """What the task id was made of; an item_id may itself contain `/`, `@` and dots. ValueError where it is none."""
    key, at, version = task.rpartition("@")
    source, slash, item_id = key.partition("/")
    revision, dot, number = version.partition(".")
    if not (at and slash and dot and source and item_id):
        raise ValueError(f"{task!r} is no task id: it must read source/item_id@revision.number")
    return Task(source, item_id, int(revision), "audit" if number == "audit" else int(number))
