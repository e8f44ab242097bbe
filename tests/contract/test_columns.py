"""Every property of every event has a column in ClickHouse, down to the last field of what is nested."""

import re
from typing import Any

import pytest

from services.analytics.migrations import load_migrations
from services.analytics.rows import table_of
from services.events.schemas import event_schemas, load_schemas, target
from services.events.topics import load_topics

DOCUMENTS = load_schemas()
SQL = ";\n".join(statement for each in load_migrations() for statement in each.statements())
EVENTS = {topic.event: name for name, topic in load_topics().topics.items() if topic.event}


def body_of(table: str) -> str:
    """What is between the brackets of CREATE TABLE, with columns that were changed (the last first) or added later."""
    start = SQL.index(f"CREATE TABLE IF NOT EXISTS sluicegate.{table} (")
    changed = re.findall(rf"ALTER TABLE sluicegate\.{table} MODIFY COLUMN ([^;]+)", SQL)[::-1]
    added = re.findall(rf"ALTER TABLE sluicegate\.{table} ADD COLUMN IF NOT EXISTS ([^;]+)", SQL)
    now, later = ("".join(f"\n    {each}\n" for each in columns) for columns in (changed, added))
    return now + SQL[start : SQL.index("ENGINE", start)] + later


def properties(schema: dict[str, Any]) -> dict[str, Any]:
    """The properties of an object, wherever it is written; nothing for what is passed on as it is."""
    if "$ref" in schema:
        return properties(target(schema["$ref"], DOCUMENTS))
    for each in schema.get("anyOf", ()):
        if found := properties(each):
            return found
    if schema.get("type") == "array":
        return properties(schema["items"])
    own: dict[str, Any] = {} if schema.get("x-raw") else schema.get("properties", {})
    return own


@pytest.mark.parametrize("event", sorted(event_schemas(DOCUMENTS)))
def test_every_property_has_a_column(event: str) -> None:
    def missing(schema: dict[str, Any], body: str, depth: int, path: str) -> list[str]:
        lacking = []
        for name, of in properties(schema).items():
            found = re.search(rf"^ {{{4 * depth}}}{name} (.*?)(?=^ {{{4 * depth}}}\w|\Z)", body, re.M | re.S)
            if found is None:
                lacking.append(f"{path}{name}")
            else:
                lacking += missing(of, found[0], depth + 1, f"{path}{name}.")
        return lacking

    schema = event_schemas(DOCUMENTS)[event]
    assert missing(schema, body_of(table_of(EVENTS[event])), 1, "") == []


def test_the_check_sees_a_column_that_is_not_there() -> None:
    assert re.search(r"^    item Tuple", body_of("content_submitted"), re.M)
    assert not re.search(r"^    nothing ", body_of("content_submitted"), re.M)
