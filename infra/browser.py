"""The browser that the console's tests drive: `python -m infra.browser` installs Debian's Chromium where it may."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome")
MISSING = (
    "no Chromium here, which the console's tests drive: install it (on Debian and Ubuntu: apt-get install chromium,"
    " as root); those tests are not run without it"
)


def chromium() -> str | None:
    """The path of a Chromium, if there is one."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def main() -> None:
    """Installs it when it is missing, we are root and there is apt-get; otherwise says that it is missing."""
    if chromium():
        return
    if os.geteuid() == 0 and shutil.which("apt-get"):
        print("installing Chromium for the console's tests")
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in (["update", "-q"], ["install", "-y", "-q", "--no-install-recommends", "chromium"]):
            done = subprocess.run(
                ["apt-get", *command], env=environment, capture_output=True, text=True, check=False
            )
            if done.returncode != 0:
                print(f"apt-get {command[0]} failed:\n{done.stderr[-2000:]}", file=sys.stderr)
                break
    if not chromium():
        print(MISSING, file=sys.stderr)


if __name__ == "__main__":
    main()
