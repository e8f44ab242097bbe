"""JSON Schema and the generated types take and refuse the same records, whichever value of an example is changed."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from services.events.codec import decode
from services.events.errors import UndecodableEvent
from services.events.schemas import SCHEMAS
from services.events.types import EVENTS

# Values at and past limits, of every type. Not among them: 1.0 for an integer, which JSON Schema takes and we refuse,
# and a trailing newline, which Python's `$` lets through and ours does not.
VALUES: list[Any] = [
    *[None, True, False, 0, 1, -1, 9, 10, 86_401, 2**53 - 1, 2**53, 0.5, 1.5, -0.5],
    *["", "a", "A", "é", "a b", "0" * 31, "0" * 32, "f" * 64, "x" * 200, "x" * 201, "x" * 1_001, "x" * 4_001],
    *["2026-01-31T12:00:00Z", "2026-13-01T12:00:00Z", "2026-01-31T12:00:00+01:00", "٢٠٢٦-01-31T12:00:00Z"],
    *["01890a5d-ac96-774b-bcce-b302099a8057", "allow", "escalate", "hold", "fast"],
    *[[], [1], ["a"], [None], {}, {"a": 1}],
]


@pytest.mark.parametrize("name", EVENTS)
def test_both_agree_on_every_changed_value(name: str, validators: dict[str, Draft202012Validator]) -> None:
    example = json.loads((SCHEMAS / "examples" / name / "full.json").read_bytes())
    taken = refused = 0
    for path in paths(example):
        for changed in changes(example, path):
            valid = validators[name].is_valid(changed)
            assert decodable(name, changed) == valid, f"{path}: JSON Schema {valid} on {changed}"
            taken, refused = taken + valid, refused + (not valid)
    assert taken > 20
    assert refused > 200


def paths(value: Any, above: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Where in a document there is a value, at every depth but the topmost."""
    children = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for key, child in children:
        yield (*above, key)
        yield from paths(child, (*above, key))


def changes(document: Any, path: tuple[str | int, ...]) -> Iterator[Any]:
    """The document with the value at `path` taken out, and with every one of VALUES in its place."""
    *above, last = path
    for value in VALUES:
        changed, holder = inside(document, above)
        holder[last] = value
        yield changed
    changed, holder = inside(document, above)
    del holder[last]
    yield changed


def inside(document: Any, path: list[str | int]) -> tuple[Any, Any]:
    """A copy of the document, and what in it is at `path`."""
    changed = copy.deepcopy(document)
    holder = changed
    for key in path:
        holder = holder[key]
    return changed, holder


def decodable(name: str, document: Any) -> bool:
    try:
        decode(EVENTS[name], json.dumps(document).encode())
    except UndecodableEvent:
        return False
    return True
