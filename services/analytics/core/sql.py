"""What an analyst may ask: judged on ClickHouse's own syntax tree, by what is allowed. Pure.

The connection is read-only as well (see engine.connect_analyst); it alone would let through the functions that read
files, INTO OUTFILE and KILL QUERY, and a table function that only needs no privilege.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

DATABASE = "sluicegate"
TABLE_FUNCTIONS = {"numbers", "zeros", "generateseries", "generate_series", "values"}
SAFE_CATEGORIES = {
    *("Arithmetic", "Arrays", "Bit", "Bitmap", "Comparison", "Conditional", "Dates and Times", "Distance"),
    *(
        "Encoding",
        "Geo",
        "Hash",
        "IP Address",
        "JSON",
        "Logical",
        "Map",
        "Mathematical",
        "Null",
        "Random Number",
    ),
    *(
        "Rounding",
        "String",
        "String Replacement",
        "String Search",
        "String Splitting",
        "Time Window",
        "Tuple",
    ),
    *("Type Conversion", "URL", "UUID", "Financial", "Time Series"),
}
SAFE_FUNCTIONS = {  # of other categories, or part of the syntax
    *(
        "lambda",
        "cast",
        "_cast",
        "exists",
        "array",
        "tuple",
        "arrayjoin",
        "ignore",
        "identity",
        "materialize",
    ),
    *(
        "bar",
        "formatreadablequantity",
        "formatreadabletimedelta",
        "formatreadablesize",
        "totypename",
        "transform",
    ),
    *("rownumberinallblocks", "runningdifference", "isconstant", "getsubcolumn", "countdigits", "grouping"),
}
COMBINATORS = (
    *(
        "SimpleState",
        "MergeState",
        "State",
        "Merge",
        "OrDefault",
        "OrNull",
        "Resample",
        "ForEach",
        "Distinct",
    ),
    *("ArgMin", "ArgMax", "Array", "Map", "If"),
)

_CHILDREN = re.compile(r" \(children \d+\)$")
_ALIAS = re.compile(r" \(alias [^)]*\)")
_NAME = re.compile(r"(?:(?P<database>\w+)\.)?(?P<table>\w+)")


class NotAllowed(Exception):
    """A question that analysts may not ask, and why."""


@dataclass(frozen=True)
class Allowed:
    """Names of what may be asked for, in lower case."""

    functions: frozenset[str]
    aggregates: frozenset[str]  # may carry combinators: countIf


def allowed(functions: Iterable[tuple[str, str, str, bool]]) -> Allowed:
    """From system.functions: name, alias_to, category (several parted by commas), is_aggregate.

    By what is known to be harmless, so that what a later engine brings is refused until somebody has looked at it.
    """
    rows = list(functions)
    category = {name: categories for name, _, categories, _ in rows}
    plain, aggregates = set(SAFE_FUNCTIONS), set()
    for name, alias_to, categories, is_aggregate in rows:
        own = categories or category.get(alias_to, "")
        if is_aggregate:
            aggregates.add(name.lower())
        elif own and {each.strip() for each in own.split(",")} <= SAFE_CATEGORIES:
            plain.add(name.lower())
    return Allowed(frozenset(plain), frozenset(aggregates))


def check(tree: Iterable[str], what: Allowed) -> None:
    """Raises NotAllowed. `tree` holds the lines of EXPLAIN AST, one node a line, indented by depth."""
    above: list[tuple[int, str]] = []  # depth and name of the nodes that the line is within
    for line in tree:
        depth = len(line) - len(line.lstrip())
        kind, _, name = _ALIAS.sub("", _CHILDREN.sub("", line.strip())).partition(" ")
        while above and above[-1][0] >= depth:
            above.pop()
        parent = above[-1][1] if above else ""
        above.append((depth, kind))
        if kind == "Set":
            raise NotAllowed("SETTINGS are fixed for analysts: leave them out")
        if kind == "Function":
            _check_function(name, parent, what)
        elif kind == "TableIdentifier":
            _check_table(name)
        elif kind == "Identifier":
            _check_identifier(name)


def _check_function(name: str, parent: str, what: Allowed) -> None:
    if parent == "TableExpression":
        if name.lower() not in TABLE_FUNCTIONS:
            raise NotAllowed(f"table function {name} is not for analysts: ask the tables of {DATABASE}")
    elif name.lower() not in what.functions and not _is_aggregate(name, what):
        raise NotAllowed(f"function {name} is not for analysts")


def _is_aggregate(name: str, what: Allowed) -> bool:
    """Whether it is an aggregate function, with or without combinators behind its name."""
    if name.lower() in what.aggregates:
        return True
    return any(
        _is_aggregate(name[: -len(suffix)], what)
        for suffix in COMBINATORS
        if name.lower().endswith(suffix.lower()) and len(name) > len(suffix)
    )


def _check_table(name: str) -> None:
    found = _NAME.fullmatch(name)
    if found is None or found["database"] not in (None, DATABASE):
        raise NotAllowed(f"{name} is not for analysts: ask the tables of {DATABASE}")


def _check_identifier(name: str) -> None:
    """A column; on the right of IN, it may be a table."""
    if name.split(".")[0].lower() in {
        "system",
        "information_schema",
        "default",
        "_temporary_and_external_tables",
    }:
        raise NotAllowed(f"{name} is not for analysts: ask the tables of {DATABASE}")
