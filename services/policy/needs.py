"""What a condition needs at the least: comparisons of one name with literals that `&&` ties to all the rest of it.

Where one of them is not true the condition is not, whatever else it says. Hardly any item has what a rule needs, and to
ask here costs a tenth of what the library takes for an answer. What is not told here is left to the library.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from services.policy.expressions import Checked, Token, tokens

COMPARISONS = {  # as Python has them, of a value and a literal
    "<": "{value} < {literal}",
    "<=": "{value} <= {literal}",
    ">": "{value} > {literal}",
    ">=": "{value} >= {literal}",
    "==": "{value} == {literal}",
    "!=": "{value} != {literal}",
    "in": "{value} in {literal}",
    "contains": "{literal} in {value}",
    "startsWith": "{value}.startswith({literal})",
    "endsWith": "{value}.endswith({literal})",
}
_OPENING, _CLOSING = frozenset("(["), frozenset(")]")


class Need(NamedTuple):
    """The value of the flat name must be to the literal as `comparison` (one of COMPARISONS) says; one that is missing
    is not.
    """

    name: str
    comparison: str
    literal: Any


def needs(condition: Checked) -> tuple[Need, ...]:
    """What the condition needs; empty where that cannot be told."""
    found = tokens(condition.flat)
    if any(token.text in ("||", "?") for token in _outside(found)):
        return ()
    return tuple(need for part in _parts(found) if (need := _need(part)) is not None)


def _outside(found: Sequence[Token]) -> Iterator[Token]:
    """Tokens outside of all brackets."""
    depth = 0
    for token in found:
        depth -= token.kind == "sign" and token.text in _CLOSING
        if depth == 0:
            yield token
        depth += token.kind == "sign" and token.text in _OPENING


def _parts(found: Sequence[Token]) -> list[list[Token]]:
    """What `&&` ties together, outside of all brackets."""
    ties = {token.at for token in _outside(found) if token.text == "&&" and token.kind == "sign"}
    parts: list[list[Token]] = [[]]
    for token in found:
        if token.at in ties:
            parts.append([])
        else:
            parts[-1].append(token)
    return parts


def _need(part: Sequence[Token]) -> Need | None:
    """As in `name > 1`, `name in ['a', 'b']`, `name.contains('a')`; None for anything else."""
    if len(part) < 3 or part[0].kind != "name":
        return None
    name, kinds, words = part[0].text, [token.kind for token in part], [token.text for token in part]
    if len(part) == 3 and words[1] in COMPARISONS:
        literal = _literal(part[2])
        return None if literal is None else Need(name, words[1], literal)
    if words[1:3] == ["in", "["] and words[-1] == "]":
        choice = [_literal(token) for token in part[3:-1:2]]
        plain = None not in choice and all(token.text == "," for token in part[4:-1:2])
        return Need(name, "in", frozenset(choice)) if plain else None
    if len(part) == 6 and words[1] == "." and words[3] == "(" and kinds[4] == "string" and words[5] == ")":
        literal = _literal(part[4])
        return None if literal is None else Need(name, words[2], literal)
    return None


def _literal(token: Token) -> int | float | str | None:
    """Its value; None where it is no literal, or one whose value takes more than a look."""
    if token.kind == "int":
        return int(token.text)
    if token.kind == "double":
        return float(token.text)
    if token.kind == "string" and "\\" not in token.text:
        return token.text[1:-1]
    return None
