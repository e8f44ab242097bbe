"""Rules of a policy: conditions over item, author and scores, tried in their order before thresholds are.

The first that holds decides. A value that an item does not have is left out of the context, so that what needs it does
not hold. Conditions were checked before they were compiled (services.policy.expressions).
"""

import re
from collections.abc import Iterable, Mapping
from typing import Literal, Protocol, TypeAlias

import cel
import msgspec

from services.events.errors import InvalidInstant
from services.events.instants import to_millis
from services.events.types import Score
from services.policy.expressions import ITEM, Checked, Type

Effect: TypeAlias = Literal["allow", "limit", "remove", "review"]
DAY_MS = 86_400_000
LINK = re.compile(r"https?://", re.IGNORECASE)


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


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """What is done where the condition holds. `categories` are why; `queue` None is the policy's own."""

    name: str
    effect: Effect
    categories: tuple[str, ...]
    queue: str | None
    severity: float
    condition: Checked
    program: cel.Program

    @property
    def reads_scores(self) -> bool:
        """Whether it rests on what the model says: then an alarm takes the decision away."""
        return any(name.startswith("scores.") for name in self.condition.names.values())

    def holds(self, context: cel.Context) -> bool:
        """Whether the condition holds; what cannot be evaluated does not (a missing value, a division by zero)."""
        try:
            return self.program.execute(context) is True
        except (RuntimeError, TypeError, ValueError):
            return False


def compiled(condition: Checked) -> cel.Program:
    """The library's program. Raises ValueError where it does not compile what `check` let pass."""
    return cel.compile(condition.flat)


def known(categories: Iterable[str]) -> dict[str, Type]:
    """Names that rules of a policy may use, with their types."""
    return ITEM | {f"scores.{category}": "double" for category in categories}


def first(rules: tuple[Rule, ...], names: Mapping[str, str], item: Item) -> Rule | None:
    """The first rule that holds for the item. `names` are those that the rules use, flat name to name."""
    context = cel.Context(variables=values(names, item))
    for rule in rules:
        if rule.holds(context):
            return rule
    return None


class _Author(msgspec.Struct, gc=False):
    id: str
    created_at: str | None = None


class _Read(msgspec.Struct, gc=False):
    kind: str
    text: str | None = None
    language: str | None = None
    reach: int | None = None
    media: list[msgspec.Raw] = []
    author: _Author | None = None


_read = msgspec.json.Decoder(_Read).decode


def values(names: Mapping[str, str], item: Item) -> dict[str, object]:
    """The flat context: `has_` names are always there, others only where the item has a value."""
    read = _read(item.item)
    found: dict[str, object] = {}
    for flat, name in names.items():
        value = _value(name, read, item)
        if flat.startswith("has_"):
            found[flat] = value is not None
        elif value is not None:
            found[flat] = value
    return found


def _value(name: str, read: _Read, item: Item) -> object:
    kind, _, field = name.partition(".")
    if kind == "scores":
        return next((score.probability for score in item.scores if score.category == field), None)
    if kind == "author":
        return _of_author(field, read.author, item)
    match field:
        case "source":
            return item.source
        case "length":
            return len(read.text or "")
        case "links":
            return len(LINK.findall(read.text or ""))
        case "media":
            return len(read.media)
    return getattr(read, field)


def _of_author(field: str, author: _Author | None, item: Item) -> object:
    if author is None or field == "id":
        return author and author.id
    if author.created_at is None or item.accepted_at is None:
        return None
    try:
        return (to_millis(item.accepted_at) - to_millis(author.created_at)) / DAY_MS
    except InvalidInstant:  # straight from Kafka a platform may write a day that the calendar has not
        return None
