"""The contract as an independent reader sees it: JSON Schema, without any code of ours."""

from typing import Any

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from services.events.schemas import Schema, event_schemas, load_schemas


@pytest.fixture(scope="session")
def documents() -> dict[str, Schema]:
    """The JSON Schemas by file name."""
    return load_schemas()


@pytest.fixture(scope="session")
def validators(documents: dict[str, Schema]) -> dict[str, Draft202012Validator]:
    """A validator for every event, by name and version of its schema."""
    resources = ((name, Resource.from_contents(document)) for name, document in documents.items())
    registry: Registry[Any] = Registry().with_resources(resources)
    return {
        name: Draft202012Validator(schema, registry=registry)
        for name, schema in event_schemas(documents).items()
    }
