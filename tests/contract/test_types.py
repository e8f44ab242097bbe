"""The committed types are what the schemas say."""

import shutil
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from services.events import generate
from services.events.codec import schema_name
from services.events.schemas import SCHEMAS, Schema, event_schemas, load_schemas
from services.events.types import EVENTS


def test_types_are_generated_from_these_schemas() -> None:
    assert generate.main(["--check"]) == 0


def test_drift_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    drifted = tmp_path / "types.py"
    shutil.copy(generate.OUTPUT, drifted)
    drifted.write_text(drifted.read_text().replace("revision: Revision", "revision: int", 1))
    monkeypatch.setattr(generate, "OUTPUT", drifted)

    assert generate.main(["--check"]) == 1
    assert "python -m services.events.generate" in capsys.readouterr().err
    assert generate.main([]) == 0
    assert generate.main(["--check"]) == 0


@pytest.mark.parametrize("path", sorted((SCHEMAS / "events").glob("*.json")), ids=lambda path: path.name)
def test_a_schema_is_one(path: Path) -> None:
    schema = load_schemas()[path.name]
    Draft202012Validator.check_schema(schema)
    assert schema["$id"] == path.name


@pytest.mark.parametrize(("name", "schema"), event_schemas(load_schemas()).items())
def test_an_event_names_its_schema(name: str, schema: Schema) -> None:
    assert schema["properties"]["schema"]["const"] == name
    assert "schema" in schema["required"]
    assert schema_name(EVENTS[name]) == name
    assert EVENTS[name].__name__ == schema["title"]
