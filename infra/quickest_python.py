"""`python3 infra/quickest_python.py` prints the Python to install with: python3, or a quicker build of its version.

One version is built in different ways: without profile-guided optimisation plain loops take half as long again, and the
whole stream with them (docs/performance.md). Which way a build was made it does not say itself, so it is measured.
Needs nothing but the standard library: it runs before anything is installed.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import NamedTuple

MUCH = 1.2  # times as quick as python3: less would be the machine's mood
PROBE = """
import ensurepip, json, sys, sysconfig, time, venv
def work():
    began = time.perf_counter()
    seen, text = {}, "the quick brown fox"
    for number in range(40_000):
        key = text[number % 17]
        seen[key] = seen.get(key, 0) + len(str(number))
    return time.perf_counter() - began
kind = [sys.implementation.cache_tag, sysconfig.get_config_var("SOABI"), sysconfig.get_platform()]
print(json.dumps([sys.version_info[:2], " ".join(map(str, kind)), sys.executable, min(work() for _ in range(30))]))
"""


class Found(NamedTuple):
    """A Python: its version, as in (3, 11), what wheels it takes, where it is, and how many seconds loops take it."""

    version: tuple[int, int]
    kind: str
    path: str
    seconds: float


def look(command: str) -> Found | None:
    """What the Python called so is like; None where there is none that could make an environment."""
    try:
        run = subprocess.run([command, "-c", PROBE], capture_output=True, text=True, timeout=60, check=True)
        version, kind, path, seconds = json.loads(run.stdout)
        return Found(tuple(version), kind, path, float(seconds)) if path else None
    except (OSError, subprocess.SubprocessError, ValueError, TypeError):
        return None


def choose(first: Found, others: list[Found]) -> Found:
    """`first`, or the quickest of the others that have its version and take its wheels, where that is much quicker."""
    alike = [other for other in others if (other.version, other.kind) == (first.version, first.kind)]
    quickest = min([first, *alike], key=lambda f: f.seconds)
    return quickest if quickest.seconds * MUCH < first.seconds else first


def candidates(version: tuple[int, int], path: str) -> list[str]:
    """Every command of that version in the folders of a PATH, in its order; of several names of one file the first."""
    names = (f"python{version[0]}.{version[1]}", "python3")
    found = [shutil.which(name, path=folder) for folder in path.split(os.pathsep) for name in names]
    return list({os.path.realpath(each): each for each in reversed(found) if each}.values())[::-1]


def main() -> None:
    """Print the path, and on standard error why where it is not that of python3."""
    first = look("python3")
    if first is None:
        sys.exit("python3 cannot make an environment: install its venv (on Debian and Ubuntu: python3-venv)")
    found = [seen for command in candidates(first.version, os.environ["PATH"]) if (seen := look(command))]
    chosen = choose(first, found)
    if chosen != first:
        print(
            f"{chosen.path} is {first.seconds / chosen.seconds:.1f} times as quick as {first.path} and of the same"
            " version: it is taken (make PYTHON=python3 takes the other)",
            file=sys.stderr,
        )
    print(chosen.path)


if __name__ == "__main__":
    main()
