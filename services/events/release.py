"""Keeps a copy of every released schema in schemas/released: `python -m services.events.release [--check]`.

A change that breaks a released version is refused, with what it breaks: it needs a file of its own, as in
content_submitted.v2.json. A compatible one is taken into the copy.
"""

import shutil
import sys
from pathlib import Path

from services.events.compatibility import breaking_changes, resolved
from services.events.schemas import SCHEMAS, event_schemas, load_schemas

CURRENT = SCHEMAS / "events"
RELEASED = SCHEMAS / "released"


def broken(current: Path = CURRENT, released: Path = RELEASED) -> list[str]:
    """What the schemas in `current` break of those in `released`, a line each with the schema's name."""
    new, old = load_schemas(current), load_schemas(released)
    problems = []
    for name, schema in event_schemas(old).items():
        if f"{name}.json" not in new:
            problems.append(f"{name}: is gone")
            continue
        changes = breaking_changes(resolved(schema, old), resolved(new[f"{name}.json"], new))
        problems += [f"{name}: {change}" for change in changes]
    return problems


def stale(current: Path = CURRENT, released: Path = RELEASED) -> list[str]:
    """Names of the files in `current` that are not the same in `released`."""
    old = load_schemas(released)
    return [name for name, document in load_schemas(current).items() if old.get(name) != document]


def main(arguments: list[str]) -> int:
    """Copies the schemas, or with --check only says what differs; exit code 1 where a released one is broken."""
    problems = broken() if RELEASED.exists() else []
    if arguments == ["--check"]:
        problems += [
            f"{name}: not in schemas/released, run python -m services.events.release" for name in stale()
        ]
    elif not problems:
        shutil.copytree(CURRENT, RELEASED, dirs_exist_ok=True)
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
