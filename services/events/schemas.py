"""The contract on disk: where schemas/ lies, and its JSON Schemas by file name."""

import json
from pathlib import Path
from typing import Any

Schema = dict[str, Any]

SCHEMAS = Path(__file__).resolve().parents[2] / "schemas"
"""The folder of the contract, in a checkout and in an installed wheel alike."""

SHARED = "types.v1.json"
"""The file that only holds what the others refer to."""


def load_schemas(folder: Path = SCHEMAS / "events") -> dict[str, Schema]:
    """Every JSON Schema of `folder` by file name, in order; FileNotFoundError where it has none."""
    documents = {path.name: json.loads(path.read_text("utf-8")) for path in sorted(folder.glob("*.v*.json"))}
    if not documents:
        raise FileNotFoundError(f"no schemas in {folder}: a checkout or a wheel has them in schemas/events")
    return documents


def event_schemas(documents: dict[str, Schema]) -> dict[str, Schema]:
    """The events among `documents` by name and version, as in `content_submitted.v1`."""
    return {name.removesuffix(".json"): schema for name, schema in documents.items() if name != SHARED}


def target(reference: str, documents: dict[str, Schema]) -> Schema:
    """What a `$ref` of the form `types.v1.json#/$defs/item` refers to; KeyError where it is nowhere."""
    file, _, pointer = reference.partition("#/$defs/")
    found: Schema = documents[file]["$defs"][pointer]
    return found
