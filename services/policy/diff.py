"""What two policies differ in, a line each, in the words of their documents; layout is no difference."""

from collections.abc import Iterator
from typing import Any

from services.policy.document import read

NAMES = {"categories": "category", "queues": "queue", "rules": "rule", "lists": "list"}
ABSENT = object()


def differences(before: str, after: str) -> list[str]:
    """What changes from the document `before` to `after`, both valid; empty where they mean the same.

    Raises InvalidPolicy where one is no plain YAML.
    """
    return list(_between(_meant(read(before).value), _meant(read(after).value), ()))


def _meant(value: dict[str, Any]) -> dict[str, Any]:
    """The document with its defaults written out, so that leaving one out is no difference."""
    categories = {
        name: {"action": "remove", "queue": value["queue"], **of} for name, of in value["categories"].items()
    }
    return {"alarms": {}, **value, "categories": categories}


def _between(before: Any, after: Any, path: tuple[str, ...]) -> Iterator[str]:
    if _named(before) and _named(after):
        old, new = ({of["name"]: of for of in values} for values in (before, after))
        yield from _between(old, new, path)
        stayed = [name for name in old if name in new]
        if stayed != [name for name in new if name in old]:
            yield f"{'.'.join(path)}: another order: {', '.join(new)}"
    elif isinstance(before, dict) and isinstance(after, dict):
        for key in [*before, *(key for key in after if key not in before)]:
            yield from _between(before.get(key, ABSENT), after.get(key, ABSENT), (*path, str(key)))
    elif before is ABSENT:
        yield f"{_label(path)}: added, {_shown(after)}"
    elif after is ABSENT:
        yield f"{_label(path)}: taken out, was {_shown(before)}"
    elif before != after:
        yield f"{_label(path)}: {_shown(before)} → {_shown(after)}{_effect(path, before, after)}"


def _named(value: Any) -> bool:
    """A list of mappings, each with a name of its own."""
    if not isinstance(value, list) or not all(isinstance(of, dict) and "name" in of for of in value):
        return False
    return len({of["name"] for of in value}) == len(value)


def _label(path: tuple[str, ...]) -> str:
    if len(path) > 1 and path[0] in NAMES:
        return " ".join([NAMES[path[0]], path[1], *([".".join(path[2:])] if path[2:] else [])])
    return ".".join(path)


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, dict):
        return ", ".join(f"{key} {_shown(of)}" for key, of in value.items()) or "nothing"
    return "[" + ", ".join(map(_shown, value)) + "]" if isinstance(value, list) else str(value)


def _effect(path: tuple[str, ...], before: Any, after: Any) -> str:
    """What a change of the switch or of a threshold means, in words."""
    if path == ("automation",):
        return " (machines decide again)" if after else " (everything goes to people)"
    if len(path) == 3 and path[0] == "categories":
        if path[2] == "remove":
            return f" (machines act on {'less' if after > before else 'more'})"
        if path[2] == "allow":
            return f" (machines allow {'more' if after > before else 'less'})"
    return ""
