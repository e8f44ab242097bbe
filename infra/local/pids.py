"""Pids on record: every process writes its own before it becomes what it is to be, so that what a killed supervisor
left behind can be found and ended, and nothing else is.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import psutil

SLACK = 2.0  # seconds that the clocks of processes and files may differ


class PidFolder:
    """A folder with one file <name>.pid for each process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def recording(self, name: str, command: Sequence[str]) -> list[str]:
        """`command`, preceded by writing its own pid (the shell becomes the command: the pid stays)."""
        script = f'echo $$ > {shlex.quote(str(self.path(name)))} && exec "$@"'
        return ["/bin/sh", "-c", script, name, *command]

    def path(self, name: str) -> Path:
        return self.folder / f"{name}.pid"

    def process(self, name: str) -> psutil.Process | None:
        """The process on record, while it lives. A pid that the system gave to somebody else since is not it: that
        process is younger than the record.
        """
        try:
            written = self.path(name).stat().st_mtime
            process = psutil.Process(int(self.path(name).read_text()))
            if process.create_time() > written + SLACK or _ended(process):
                return None
        except (OSError, ValueError, psutil.Error):
            return None
        return process

    def alive(self) -> dict[str, psutil.Process]:
        """Every process on record that lives, by name."""
        found = {path.stem: self.process(path.stem) for path in sorted(self.folder.glob("*.pid"))}
        return {name: process for name, process in found.items() if process is not None}

    def end_all(self, seconds: float = 30) -> list[str]:
        """Ends what lives, politely first; returns the names. Waits until all are gone."""
        alive = self.alive()
        for name in sorted(
            alive, key=lambda each: each != "supervisord"
        ):  # first who would restart the others
            _signal(alive[name], "terminate")
        _, stubborn = psutil.wait_procs(list(alive.values()), timeout=seconds)
        for process in stubborn:
            _signal(process, "kill")
        psutil.wait_procs(stubborn, timeout=seconds)
        for path in self.folder.glob("*.pid"):
            path.unlink(missing_ok=True)
        return sorted(alive)


def _ended(process: psutil.Process) -> bool:
    """Whether nothing of it runs. A killed JVM is a zombie as soon as its first thread is gone: until the others are,
    it has its ports.
    """
    return bool(process.status() == psutil.STATUS_ZOMBIE and process.num_threads() <= 1)


def _signal(process: psutil.Process, how: str) -> None:
    with suppress(psutil.NoSuchProcess):
        getattr(process, how)()
