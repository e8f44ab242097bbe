"""Rules of a policy: conditions over item, author, scores and counters, tried in their order before thresholds are.

The first that holds decides. A value that an item does not have is undefined, so that what needs it does
not hold. Conditions were checked before they were compiled (services.policy.expressions).
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, Protocol, TypeAlias

import msgspec

from services.events.errors import InvalidInstant
from services.events.instants import to_millis
from services.events.types import Score
from services.policy.counters import COUNTERS, PREFIX
from services.policy.expressions import ITEM, Checked, Type
from services.policy.library import cel
from services.policy.needs import needs

Effect: TypeAlias = Literal["allow", "limit", "remove", "review"]
DAY_MS = 86_400_000
LINK = re.compile(r"https?://", re.IGNORECASE)
MANY = 3  # rules that may hold: with more, to ask for all at once is cheaper
_SLOW = frozenset({"item_text", "item_links", "author_age_days"})  # values that take longer: needed last


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

    @property
    def words(self) -> str:
        """As decisions say it in `rule`."""
        return f"rule {self.name}"


def compiled(condition: Checked) -> cel.Program:
    """The library's program. Raises ValueError where it does not compile what `check` let pass."""
    return cel.compile(condition.flat)


def known(categories: Iterable[str]) -> dict[str, Type]:
    """Names that rules of a policy may use, with their types."""
    scores: dict[str, Type] = {f"scores.{category}": "double" for category in categories}
    counters: dict[str, Type] = {PREFIX + name: "int" for name in COUNTERS}
    return ITEM | scores | counters


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
_Get: TypeAlias = Callable[[_Read, Item, Mapping[str, int] | None], object]
_Test: TypeAlias = tuple[_Get, Callable[[Any, Any], bool], Any]  # `holds(get(…), literal)` must be true
_NO_TEST: _Test = (lambda read, item, counters: True, lambda value, literal: True, None)


class Rules:
    """The rules of a policy, ready to be tried.

    Hardly any item meets any rule. So a rule is tried only where the item has what it needs at the least
    (services.policy.needs); and where many are to be tried, it is first asked whether one holds at all: `a || b` is
    true where either is, and neither a value that is missing nor an error in one hides that another is true.
    """

    def __init__(self, rules: tuple[Rule, ...]) -> None:
        """Raises ValueError where the library does not compile a condition."""
        self._any = cel.compile(" || ".join(f"({rule.condition.flat})" for rule in rules))
        names = {flat: name for rule in rules for flat, name in rule.condition.names.items()}
        self._getters = {flat: _getter(name, flat.startswith("has_")) for flat, name in names.items()}
        self._guarded = [(rule, *self._guard(rule)) for rule in rules]

    def _guard(self, rule: Rule) -> tuple[_Test, list[_Test]]:
        """What the rule needs: what nearly all items fail, and the rest."""
        tests: list[_Test] = [
            (self._getters[need.name], need.holds, need.literal)
            for need in sorted(needs(rule.condition), key=lambda need: need.name in _SLOW)
        ]
        return (tests[0], tests[1:]) if tests else (_NO_TEST, [])

    def first(self, item: Item, counters: Mapping[str, int] | None = None) -> Rule | None:
        """The first rule that holds for the item. `counters` by name; None: not to be had."""
        read, getters = _read(item.item), self._getters
        possible = []
        for rule, (get, holds, literal), others in self._guarded:
            value = get(read, item, counters)
            if value is None or not holds(value, literal):
                continue
            for get, holds, literal in others:
                value = get(read, item, counters)
                if value is None or not holds(value, literal):
                    break
            else:
                possible.append(rule)
        if not possible:
            return None
        context = cel.Context()
        # Values are asked for only as an evaluation comes to them: text takes 1 us.
        context.set_variable_resolver(lambda flat: getters[flat](read, item, counters))
        if len(possible) > MANY and not _true(self._any, context):
            return None
        return next((rule for rule in possible if _true(rule.program, context)), None)


def _true(program: cel.Program, context: cel.Context) -> bool:
    """Whether it is true; what cannot be evaluated is not (a missing value, a division by zero)."""
    try:
        return program.execute(context) is True
    except (RuntimeError, TypeError, ValueError, ArithmeticError):
        return False


def _getter(name: str, asks: bool = False) -> _Get:
    """How the value of a name is had; None where the item has none. `asks`: whether it has one."""
    if asks:
        get = _getter(name)
        return lambda read, item, counters: get(read, item, counters) is not None
    kind, _, field = name.partition(".")
    if kind == "scores":
        return lambda read, item, counters: _probability(item, field)
    if kind == "counters":
        return lambda read, item, counters: None if counters is None else counters.get(field)
    return _OF[name]


def _probability(item: Item, category: str) -> float | None:
    for score in item.scores:
        if score.category == category:
            return score.probability
    return None


def _age_days(read: _Read, item: Item, counters: object) -> float | None:
    author = read.author
    if author is None or author.created_at is None or item.accepted_at is None:
        return None
    try:
        return (to_millis(item.accepted_at) - to_millis(author.created_at)) / DAY_MS
    except InvalidInstant:  # straight from Kafka a platform may write a day that the calendar has not
        return None


_OF: dict[str, _Get] = {
    "item.kind": lambda read, item, counters: read.kind,
    "item.text": lambda read, item, counters: read.text,
    "item.length": lambda read, item, counters: len(read.text or ""),
    "item.language": lambda read, item, counters: read.language,
    "item.reach": lambda read, item, counters: read.reach,
    "item.links": lambda read, item, counters: (
        len(LINK.findall(read.text)) if read.text and "://" in read.text else 0
    ),
    "item.media": lambda read, item, counters: len(read.media),
    "item.source": lambda read, item, counters: item.source,
    "author.id": lambda read, item, counters: read.author and read.author.id,
    "author.age_days": _age_days,
}
