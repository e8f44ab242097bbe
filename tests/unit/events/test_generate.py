"""What the generator makes of a schema."""

from typing import Any

import msgspec
import pytest

from services.events.generate import Generator

SHARED: dict[str, Any] = {
    "$defs": {
        "name": {"type": "string", "pattern": "^[a-z]{1,5}$", "description": "A name"},
        "part": {
            "type": "object",
            "description": "A part",
            "required": ["name"],
            "properties": {"name": {"$ref": "types.v1.json#/$defs/name"}},
        },
    }
}


def generate(rules: dict[str, Any] | None = None, **properties: Any) -> Any:
    """The class generated for an event with these optional fields."""
    event = {
        "title": "ThingHappened",
        "description": "A thing happened",
        "required": ["schema"],
        "properties": {"schema": {"type": "string", "const": "thing_happened.v1"}, **properties},
        **(rules or {}),
    }
    source = Generator({"thing_happened.v1.json": event, "types.v1.json": SHARED}).module()
    module: dict[str, Any] = {"__name__": "generated"}
    exec(source, module)
    assert module["EVENTS"] == {"thing_happened.v1": module["ThingHappened"]}
    return module["ThingHappened"]


def test_references_become_named_types() -> None:
    thing = generate(parts={"type": "array", "items": {"$ref": "types.v1.json#/$defs/part"}, "default": []})
    read = msgspec.json.decode(b'{"parts": [{"name": "wheel"}]}', type=thing)
    assert type(read.parts[0]).__name__ == "Part"
    assert thing().parts == ()
    with pytest.raises(msgspec.ValidationError, match="parts"):
        msgspec.json.decode(b'{"parts": [{"name": "Wheel"}]}', type=thing)


def test_an_inline_definition_is_named_by_its_title() -> None:
    thing = generate(mood={"title": "Mood", "enum": ["good", "bad"], "default": "good"})
    assert thing().mood == "good"
    with pytest.raises(msgspec.ValidationError, match="mood"):
        msgspec.json.decode(b'{"mood": "odd"}', type=thing)


def test_a_rule_between_fields() -> None:
    flag = {"type": "boolean", "default": False}
    text = {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None}
    rules = {
        "if": {"properties": {"gone": {"const": True}}, "required": ["gone"]},
        "then": {"properties": {"text": {"type": "null"}}},
        "else": {"properties": {"text": {"type": "string"}}, "required": ["text"]},
    }
    thing = generate(rules, gone=flag, text=text)
    thing(gone=True)
    thing(text="here")
    with pytest.raises(ValueError, match="`text` must be null where `gone` is true"):
        thing(gone=True, text="here")
    with pytest.raises(ValueError, match="`text` must not be null where `gone` is false"):
        thing()


@pytest.mark.parametrize("pattern", ["[a-z]", "^[a-z]", r"^\d$"])
def test_a_pattern_that_means_something_else_elsewhere_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="write it as"):
        generate(x={"type": "string", "pattern": pattern, "default": ""})
