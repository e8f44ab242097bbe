"""Which rules an item may meet: one function for what all of them need at the least (services.policy.needs).

There is a handful of comparisons for every item. So they are written out as one Python function, compiled once for a
policy. Of what a policy says only its place in a list of constants is written into the source, never the words.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeAlias, TypeVar

import msgspec

from services.events.errors import InvalidInstant
from services.events.instants import to_millis
from services.events.types import Score
from services.policy.needs import COMPARISONS, Need

R = TypeVar("R")
DAY_MS = 86_400_000
LINK = re.compile(r"https?://", re.IGNORECASE)
SLOW = frozenset({"item.text", "item.links", "author.age_days"})  # values that take longer: looked at last


class Item(Protocol):
    """What of an item rules look at; content_classified.v1 has it."""

    @property
    def source(self) -> str:
        """The platform."""

    @property
    def item(self) -> msgspec.Raw:
        """What was published, as JSON."""

    @property
    def scores(self) -> tuple[Score, ...]:
        """What the model says."""

    @property
    def accepted_at(self) -> str | None:
        """When Kafka appended it: the age of an author is counted to here, so that it is the same whenever asked."""


class _Author(msgspec.Struct, gc=False):
    id: str
    created_at: str | None = None


class Read(msgspec.Struct, gc=False):
    """What rules look at of what was published."""

    kind: str
    text: str | None = None
    language: str | None = None
    reach: int | None = None
    media: list[msgspec.Raw] = []
    author: _Author | None = None


read = msgspec.json.Decoder(Read).decode
Get: TypeAlias = Callable[[Read, Item, Mapping[str, int] | None], Any]


def getter(name: str, asks: bool = False) -> Get:
    """How the value of a name, as in `item.text`, is had; None where an item has none. `asks`: whether it has one."""
    constants = _Constants()
    value = _value(name, constants)
    found: Get = constants.compiled(f"lambda read, item, counters: {value}" + " is not None" * asks)
    return found


def screen(rules: Sequence[tuple[R, Sequence[Need]]], names: Mapping[str, str]) -> Callable[..., list[R]]:
    """`(read, item, counters)` to the rules, in their order, whose needs the item has.

    `names` as in `item.text`, by the flat ones that needs have.
    """
    constants = _Constants()
    lines = ["def possible(read, item, counters):", " found = []"]
    for rule, needed in rules:
        ordered = sorted(needed, key=lambda need: names[need.name] in SLOW)
        tests = [_test(need, names[need.name], constants) for need in ordered]
        lines.append(f" if {' and '.join(tests) or 'True'}: found.append({constants.put(rule)})")
    lines.append(" return found")
    found: Callable[..., list[R]] = constants.compiled("\n".join(lines), "possible")
    return found


def _test(need: Need, name: str, constants: "_Constants") -> str:
    compared = COMPARISONS[need.comparison].format(value="value", literal=constants.put(need.literal))
    return f"(value := {_value(name, constants)}) is not None and {compared}"


def _value(name: str, constants: "_Constants") -> str:
    """The source of an expression over `read`, `item` and `counters`."""
    kind, _, field = name.partition(".")
    if kind == "scores":
        return f"probability(item, {constants.put(field)})"
    if kind == "counters":
        return f"(None if counters is None else counters.get({constants.put(field)}))"
    return _OF[name]


class _Constants:
    """What a source refers to by number."""

    def __init__(self) -> None:
        self._kept: list[Any] = []

    def put(self, constant: Any) -> str:
        """How the source says it."""
        self._kept.append(constant)
        return f"constant_{len(self._kept) - 1}"

    def compiled(self, source: str, name: str = "") -> Any:
        """The function of this name, or without one what the expression comes to."""
        where = _KNOWN | {f"constant_{number}": each for number, each in enumerate(self._kept)}
        if not name:
            return eval(source, where)
        exec(source, where)
        return where[name]


def _probability(item: Item, category: str) -> float | None:
    for score in item.scores:
        if score.category == category:
            return score.probability
    return None


def _links(text: str | None) -> int:
    return len(LINK.findall(text)) if text and "://" in text else 0


def _age_days(read: Read, item: Item) -> float | None:
    author = read.author
    if author is None or author.created_at is None or item.accepted_at is None:
        return None
    try:
        return (to_millis(item.accepted_at) - to_millis(author.created_at)) / DAY_MS
    except InvalidInstant:  # straight from Kafka a platform may write a day that the calendar has not
        return None


_KNOWN: dict[str, Any] = {"probability": _probability, "links": _links, "age_days": _age_days}
_OF = {
    "item.kind": "read.kind",
    "item.text": "read.text",
    "item.length": 'len(read.text or "")',
    "item.language": "read.language",
    "item.reach": "read.reach",
    "item.links": "links(read.text)",
    "item.media": "len(read.media)",
    "item.source": "item.source",
    "author.id": "(read.author and read.author.id)",
    "author.age_days": "age_days(read, item)",
}
