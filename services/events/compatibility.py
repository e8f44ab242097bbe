"""What a change of a released schema breaks.

Records live for days and services are updated one by one, so old readers meet new records and new readers old ones:
a field may be added that has a default and is not required; words may be changed; anything else is a new version.
"""

from typing import Any

from services.events.schemas import Schema, target

_WORDS = {"$schema", "$id", "$defs", "title", "description", "x-raw", "x-terse"}
_LOWER = {"minimum", "exclusiveMinimum", "minLength", "minItems"}
_UPPER = {"maximum", "exclusiveMaximum", "maxLength", "maxItems"}
_ABSENT = "absent"


def resolved(schema: Schema, documents: dict[str, Schema]) -> Schema:
    """The schema with every `$ref` replaced by what it refers to, and without words, which no reader goes by."""
    if "$ref" in schema:
        own = {keyword: value for keyword, value in schema.items() if keyword != "$ref"}
        return resolved({**target(schema["$ref"], documents), **own}, documents)
    return {
        keyword: {name: resolved(of, documents) for name, of in value.items()}
        if keyword == "properties"
        else _resolved_value(value, documents)
        for keyword, value in schema.items()
        if keyword not in _WORDS
    }


def breaking_changes(old: Schema, new: Schema, at: str = "$") -> list[str]:
    """What of the released schema `old` its successor `new` does not keep, a line each; both resolved.

    Empty where every reader of either takes every record of either.
    """
    changes = _field_changes(old, new, at) if "properties" in old and "properties" in new else []
    for keyword in sorted((old.keys() | new.keys()) - {"properties", "required"}):
        before, after = old.get(keyword, _ABSENT), new.get(keyword, _ABSENT)
        if _ABSENT in (before, after):
            changes.append(f"{at}: `{keyword}` was {before!r}, is {after!r}")
        elif keyword == "anyOf":
            changes += _alternative_changes(before, after, at)
        elif keyword == "items":
            changes += breaking_changes(before, after, f"{at}[]")
        elif keyword == "enum":
            changes += [f"{at}: {value!r} is no longer allowed" for value in before if value not in after]
            changes += [
                f"{at}: {value!r} is new, readers refuse it" for value in after if value not in before
            ]
        elif before != after:
            changes.append(f"{at}: `{keyword}` {_direction(keyword, before, after)}")
    return changes


def _field_changes(old: Schema, new: Schema, at: str) -> list[str]:
    changes = []
    required, required_now = set(old.get("required", ())), set(new.get("required", ()))
    for name, before in old["properties"].items():
        path = f"{at}.{name}"
        if name not in new["properties"]:
            changes.append(f"{path}: is gone")
            continue
        if name in required_now - required:
            changes.append(f"{path}: is required now, records without it are refused")
        if name in required - required_now:
            changes.append(f"{path}: is no longer required, readers refuse records without it")
        changes += breaking_changes(before, new["properties"][name], path)
    for name in new["properties"].keys() - old["properties"].keys():
        if name in required_now:
            changes.append(f"{at}.{name}: is new and required, records without it are refused")
        elif "default" not in new["properties"][name]:
            changes.append(f"{at}.{name}: is new and has no default for records without it")
    return changes


def _alternative_changes(old: list[Schema], new: list[Schema], at: str) -> list[str]:
    """Of `anyOf`: whether null is taken, and the one other alternative that it has in these schemas."""
    null = {"type": "null"}
    if (null in old) != (null in new):
        return [f"{at}: null is {'no longer allowed' if null in old else 'new, readers refuse it'}"]
    before, after = ([branch for branch in branches if branch != null] for branches in (old, new))
    if len(before) == len(after) == 1:
        return breaking_changes(before[0], after[0], at)
    return [] if before == after else [f"{at}: `anyOf` was {before}, is {after}"]


def _direction(keyword: str, before: Any, after: Any) -> str:
    """How a keyword changed, and whom it hurts where that can be told."""
    if keyword in _LOWER | _UPPER:
        narrowed = (after > before) == (keyword in _LOWER)
        who = "records of today are refused" if narrowed else "readers of today refuse what it allows"
        return f"was {before!r}, is {after!r}: {who}"
    return f"was {before!r}, is {after!r}"


def _resolved_value(value: Any, documents: dict[str, Schema]) -> Any:
    if isinstance(value, dict):
        return resolved(value, documents)
    if isinstance(value, list):
        return [_resolved_value(element, documents) for element in value]
    return value
