"""Rules of a policy: conditions over item, author, scores and counters, tried in their order before thresholds are.

The first that holds decides. A value that an item does not have is undefined, so that what needs it does
not hold. Conditions were checked before they were compiled (services.policy.expressions).
"""

from collections.abc import Iterable, Mapping
from typing import Literal, TypeAlias

import msgspec

from services.policy.counters import COUNTERS, PREFIX
from services.policy.expressions import ITEM, Checked, Type
from services.policy.library import cel
from services.policy.needs import needs
from services.policy.screening import Item, getter, read, screen

Effect: TypeAlias = Literal["allow", "limit", "remove", "review"]
MANY = 3  # rules that may hold: with more, to ask for all at once is cheaper


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
        self._getters = {flat: getter(name, flat.startswith("has_")) for flat, name in names.items()}
        self._possible = screen([(rule, needs(rule.condition)) for rule in rules], names)

    def first(self, item: Item, counters: Mapping[str, int] | None = None) -> Rule | None:
        """The first rule that holds for the item. `counters` by name; None: not to be had."""
        seen, getters = read(item.item), self._getters
        possible = self._possible(seen, item, counters)
        if not possible:
            return None
        context = cel.Context()
        # Values are asked for only as an evaluation comes to them: text takes 1 us.
        context.set_variable_resolver(lambda flat: getters[flat](seen, item, counters))
        if len(possible) > MANY and not _true(self._any, context):
            return None
        return next((rule for rule in possible if _true(rule.program, context)), None)


def _true(program: cel.Program, context: cel.Context) -> bool:
    """Whether it is true; what cannot be evaluated is not (a missing value, a division by zero)."""
    try:
        return program.execute(context) is True
    except (RuntimeError, TypeError, ValueError, ArithmeticError):
        return False
