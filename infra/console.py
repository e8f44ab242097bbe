"""Builds the web console: `python -m infra.console`, with Node 20 or later where there is one, else the wheel's."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent.parent / "services" / "console"
OLDEST_NODE = 20


def node_folder() -> Path:
    """The folder with the `node` and `npm` to build with. Exits with what to do when there is none."""
    found = shutil.which("node")
    if found and shutil.which("npm") and node_version(found) >= OLDEST_NODE:
        return Path(found).parent
    wheel = Path(sys.executable).parent
    if (wheel / "npm").exists():
        return wheel
    sys.exit(f"the console needs Node {OLDEST_NODE} or later to be built: pip install -e '.[dev]' brings one")


def node_version(binary: str) -> int:
    """Major version; 0 when it says none."""
    said = subprocess.run([binary, "--version"], capture_output=True, text=True, check=False).stdout
    match = re.match(r"v(\d+)\.", said)
    return int(match.group(1)) if match else 0


def main() -> None:
    """npm ci, npm run build."""
    if not (FOLDER / "package.json").exists():
        print("services/console has no package.json: no console to build")
        return
    folder = node_folder()
    quiet = {"npm_config_update_notifier": "false"}
    environment = {**os.environ, **quiet, "PATH": f"{folder}{os.pathsep}{os.environ.get('PATH', '')}"}
    for arguments in (("ci", "--no-audit", "--no-fund", "--loglevel=error"), ("run", "build", "--silent")):
        command = [str(folder / "npm"), *arguments]
        if code := subprocess.run(command, cwd=FOLDER, env=environment, check=False).returncode:
            sys.exit(f"building the console failed: npm {arguments[0]} ended with code {code}, see above")


if __name__ == "__main__":
    main()
