"""Which changes of a released schema break somebody, each in both directions."""

from typing import Any

import pytest

from services.events.compatibility import breaking_changes, resolved


def schema(required: tuple[str, ...] = (), **properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": [*required], "properties": properties}


def nullable(of: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [of, {"type": "null"}], "default": None}


TEXT = {"type": "string"}
BREAKING = {
    "a field and none": (schema(x=nullable(TEXT)), schema(), "$.x: is gone", None),
    "required and not": (
        schema(("x",), x=TEXT),
        schema(x={**TEXT, "default": ""}),
        "$.x: is no longer required",
        "$.x: is required now",
    ),
    "types": (schema(x=TEXT), schema(x={"type": "integer"}), "`type` was 'string'", "`type` was 'integer'"),
    "constants": (schema(x={"const": "a"}), schema(x={"const": "b"}), "`const` was 'a'", "`const` was 'b'"),
    "enums": (
        schema(x={"enum": ["a", "b"]}),
        schema(x={"enum": ["b"]}),
        "$.x: 'a' is no longer allowed",
        "$.x: 'a' is new",
    ),
    "patterns": (
        schema(x={"pattern": "^a$"}),
        schema(x={"pattern": "^b$"}),
        "`pattern` was",
        "`pattern` was",
    ),
    "a pattern and none": (schema(x={"pattern": "^a$"}), schema(x={}), "is 'absent'", "was 'absent'"),
    "upper limits": (
        schema(x={"maxLength": 9}),
        schema(x={"maxLength": 5}),
        "was 9, is 5: records of today are refused",
        "was 5, is 9: readers of today refuse",
    ),
    "lower limits": (
        schema(x={"minimum": 0}),
        schema(x={"minimum": 1}),
        "was 0, is 1: records of today are refused",
        "was 1, is 0: readers of today refuse",
    ),
    "nullable and not": (
        schema(x={"anyOf": [TEXT, {"type": "null"}]}),
        schema(x={"anyOf": [TEXT]}),
        "null is no longer allowed",
        "null is new",
    ),
    "what a nullable is": (
        schema(x=nullable(TEXT)),
        schema(x=nullable({"type": "integer"})),
        "$.x: `type` was 'string'",
        "$.x: `type` was 'integer'",
    ),
    "defaults": (
        schema(x={"default": False}),
        schema(x={"default": True}),
        "`default` was False",
        "`default` was True",
    ),
    "a default of null and none": (
        schema(x=nullable(TEXT)),
        schema(x={"anyOf": nullable(TEXT)["anyOf"]}),
        "`default` was None, is 'absent'",
        "`default` was 'absent', is None",
    ),
    "elements": (
        schema(x={"items": {"maxLength": 9}}),
        schema(x={"items": {"maxLength": 5}}),
        "$.x[]: `maxLength`",
        "$.x[]: `maxLength`",
    ),
    "fields of fields": (
        schema(x=schema(y={"maximum": 1})),
        schema(x=schema(y={"maximum": 2})),
        "$.x.y: `maximum`",
        "$.x.y: `maximum`",
    ),
    "rules between fields": (
        {**schema(x=TEXT), "if": schema(x={"const": "a"})},
        schema(x=TEXT),
        "$: `if` was",
        "$: `if` was",
    ),
    "a new required field": (schema(), schema(("x",), x=TEXT), "$.x: is new and required", "$.x: is gone"),
    "a new field without a default": (
        schema(),
        schema(x=TEXT),
        "$.x: is new and has no default",
        "$.x: is gone",
    ),
}


@pytest.mark.parametrize(("old", "new", "there", "back"), BREAKING.values(), ids=BREAKING.keys())
def test_it_breaks(old: dict[str, Any], new: dict[str, Any], there: str, back: str | None) -> None:
    assert any(there in change for change in breaking_changes(old, new))
    if back is None:
        assert breaking_changes(new, old) == []
    else:
        assert any(back in change for change in breaking_changes(new, old))


@pytest.mark.parametrize("default", [None, [], False, 0, ""])
def test_a_field_with_a_default_may_be_added(default: Any) -> None:
    assert breaking_changes(schema(("x",), x=TEXT), schema(("x",), x=TEXT, y={"default": default})) == []


def test_words_may_be_changed() -> None:
    old = {**schema(("x",), x={**TEXT, "description": "Short"}), "title": "Old", "description": "Old"}
    new = {
        **schema(("x",), x={**TEXT, "description": "Longer, with a reason"}),
        "title": "New",
        "description": "New",
    }
    assert breaking_changes(resolved(old, {}), resolved(new, {})) == []


def test_a_field_may_be_called_like_a_word_of_json_schema() -> None:
    old = schema(("title", "description"), title=TEXT, description=TEXT)
    assert breaking_changes(resolved(old, {}), resolved(schema(("title",), title=TEXT), {})) == [
        "$.description: is gone"
    ]


def test_the_order_of_fields_enums_and_requirements_does_not_matter() -> None:
    old = schema(("x", "y"), x={"enum": ["a", "b"]}, y=TEXT)
    new = schema(("y", "x"), y=TEXT, x={"enum": ["b", "a"]})
    assert breaking_changes(old, new) == []


def test_a_definition_may_move_and_what_it_says_may_not_change() -> None:
    shared = {"types.v1.json": {"$defs": {"name": {"type": "string", "maxLength": 9}}}}
    inline = schema(x={"type": "string", "maxLength": 9})
    by_reference = schema(x={"$ref": "types.v1.json#/$defs/name", "description": "With words of its own"})
    assert breaking_changes(resolved(inline, {}), resolved(by_reference, shared)) == []

    shared["types.v1.json"]["$defs"]["name"]["maxLength"] = 8
    assert breaking_changes(resolved(inline, {}), resolved(by_reference, shared)) == [
        "$.x: `maxLength` was 9, is 8: records of today are refused"
    ]
