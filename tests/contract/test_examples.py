"""Every example of the contract is taken by JSON Schema and by our reader, every bad one refused by both."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from msgspec.structs import replace

from services.events.codec import decode, encode
from services.events.errors import UndecodableEvent
from services.events.schemas import SCHEMAS, Schema, target
from services.events.types import EVENTS, Circumstances, ContentDecided

EXAMPLES = SCHEMAS / "examples"
GOOD = sorted(EXAMPLES.glob("*.v*/*.json"))
BAD = sorted(EXAMPLES.glob("invalid/*.v*/*.json"))

Validators = dict[str, Draft202012Validator]
Documents = dict[str, Schema]


def named(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


@pytest.mark.parametrize("path", GOOD, ids=named)
def test_an_example_is_valid_and_stays_so_when_written_again(path: Path, validators: Validators) -> None:
    validator, event_type = validators[path.parent.name], EVENTS[path.parent.name]
    validator.validate(json.loads(path.read_bytes()))

    event = decode(event_type, path.read_bytes())
    written = encode(event)

    validator.validate(json.loads(written))
    assert decode(event_type, written) == event
    assert json.loads(written)["schema"] == path.parent.name


@pytest.mark.parametrize("path", GOOD, ids=named)
def test_what_an_example_says_is_what_is_written(path: Path, documents: Documents) -> None:
    """Nothing that the schema knows is lost or changed; what is absent is written as its default, or stays absent."""
    given = json.loads(path.read_bytes())
    written = json.loads(encode(decode(EVENTS[path.parent.name], path.read_bytes())))
    schema = documents[f"{path.parent.name}.json"]
    meant = filled(written, schema, documents)
    if path.stem != "unknown_fields":
        assert contained(given, meant), f"{given} is not in {meant}"
    assert set(meant) == set(schema["properties"])
    if not schema.get("x-terse"):
        assert set(written) == set(meant)


def test_what_is_terse_is_written_without_its_defaults() -> None:
    path = EXAMPLES / "content_decided.v1" / "full.json"
    event = decode(ContentDecided, path.read_bytes())
    bare = replace(event, run_id=None, categories=(), circumstances=Circumstances(automation=True))

    written = json.loads(encode(bare))

    assert not {"run_id", "categories"} & written.keys()
    assert written["circumstances"] == {"automation": True}
    assert decode(ContentDecided, encode(bare)) == bare


@pytest.mark.parametrize("path", BAD, ids=named)
def test_a_bad_example_is_refused_by_both(path: Path, validators: Validators) -> None:
    assert not validators[path.parent.name].is_valid(json.loads(path.read_bytes()))
    with pytest.raises(UndecodableEvent) as refused:
        decode(EVENTS[path.parent.name], path.read_bytes())
    assert path.with_suffix(".error").read_text("utf-8").strip() in str(refused.value)


@pytest.mark.parametrize("name", EVENTS)
def test_every_event_has_examples_good_and_bad(name: str) -> None:
    assert {"minimal", "full"} <= {path.stem for path in GOOD if path.parent.name == name}
    assert sum(path.parent.name == name for path in BAD) >= 2


def test_examples_belong_to_an_event() -> None:
    assert {path.parent.name for path in GOOD + BAD} <= EVENTS.keys()


def filled(value: Any, schema: Schema, documents: Documents) -> Any:
    """The value as every reader takes it: with the default of what is absent."""
    if "$ref" in schema:
        return filled(value, target(schema["$ref"], documents), documents)
    if "anyOf" in schema:
        return None if value is None else filled(value, schema["anyOf"][0], documents)
    if isinstance(value, list):
        return [filled(each, schema["items"], documents) for each in value]
    fields = schema.get("properties")
    if not isinstance(value, dict) or fields is None:
        return value
    absent = {name: of["default"] for name, of in fields.items() if name not in value and "default" in of}
    return absent | {
        name: filled(each, fields[name], documents) if name in fields else each
        for name, each in value.items()
    }


def contained(part: object, whole: object) -> bool:
    """Whether `whole` has everything that `part` has, at every depth."""
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(
            key in whole and contained(value, whole[key]) for key, value in part.items()
        )
    if isinstance(part, list):
        return isinstance(whole, list) and len(part) == len(whole) and all(map(contained, part, whole))
    return part == whole
