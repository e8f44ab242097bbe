"""supervisord for one stack: its configuration, and the calls that drive it over a unix socket."""

from __future__ import annotations

import hashlib
import os
import shlex
import subprocess
import sys
import time
import xmlrpc.client
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infra.local.errors import NotReady, WrongSetting
from infra.local.pids import PidFolder

LONGEST_SOCKET = 90  # bytes: the system's limit is 107, and supervisord adds its pid to it for a moment

SERVER = """\
[supervisord]
logfile={logs}/supervisord.log
logfile_maxbytes=5MB
logfile_backups=2
pidfile={pids}/supervisord.pid
directory={cwd}
{user}
[unix_http_server]
file={socket}
chmod=0700

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
"""

PROGRAM = """
[program:{name}]
command={command}
environment={environment}
autostart={autostart}
autorestart=true
startsecs={steady_seconds}
startretries=1000000
stopsignal=TERM
stopwaitsecs={stop_seconds}
killasgroup=true
priority={priority}
redirect_stderr=true
stdout_logfile={logs}/{name}.log
stdout_logfile_maxbytes=10MB
stdout_logfile_backups=3
"""


@dataclass(frozen=True)
class Program:
    """One process under the supervisor. One that ends within `steady_seconds` of its start is started again after
    1, 2, 3 … s; one that ends later, at once.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    at_once: bool = False  # started with the supervisor; the others when told to
    steady_seconds: int = 5
    stop_seconds: int = 20
    priority: int = 20  # those with the lowest start first and stop last


@dataclass(frozen=True)
class ProgramState:
    """What the supervisor says of a process: its state (RUNNING, STARTING, BACKOFF, STOPPED, …), pid and age in s."""

    name: str
    state: str
    pid: int
    seconds: int
    detail: str


class Supervisor:
    """The supervisord of the data folder `var`."""

    def __init__(self, var: Path) -> None:
        self.logs = var / "logs"
        self.pids = PidFolder(var / "run")
        self._configuration = var / "run" / "supervisord.conf"
        self._socket = socket_path(var)

    def alive(self) -> bool:
        """Whether it answers."""
        if not self._socket.exists():
            return False
        try:
            self._call("getState")
        except OSError:
            return False
        return True

    def start(self, programs: Sequence[Program], timeout: float = 20) -> None:
        """Writes the configuration and starts supervisord in the background. Raises NotReady."""
        self.logs.mkdir(parents=True, exist_ok=True)
        self._configuration.write_text(self.configuration(programs))
        self._socket.unlink(missing_ok=True)
        command = [sys.executable, "-m", "supervisor.supervisord", "-c", str(self._configuration)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=timeout)
        if done.returncode != 0:
            raise NotReady(f"supervisord did not start:\n{done.stdout}{done.stderr}")
        deadline = time.monotonic() + timeout
        while not self.alive():
            if time.monotonic() > deadline:
                raise NotReady(f"supervisord does not answer; see {self.logs}/supervisord.log")
            time.sleep(0.05)

    def configuration(self, programs: Sequence[Program]) -> str:
        """supervisord.conf. Raises WrongSetting for a data folder whose path supervisord cannot take."""
        if any(character in str(self.logs) for character in '%"\n'):
            raise WrongSetting(f"SLUICEGATE_VAR={self.logs.parent}: choose a path without % and quotes")
        server = SERVER.format(
            logs=_plain(self.logs),
            pids=_plain(self.pids.folder),
            cwd=_plain(Path.cwd()),
            socket=_plain(self._socket),
            user="user=root\n" if os.geteuid() == 0 else "",  # it asks to be told that this is meant
        )
        parts = [
            PROGRAM.format(
                name=program.name,
                command=_plain(shlex.join(self.pids.recording(program.name, program.command))),
                environment=",".join(
                    f'{key}="{_plain(value)}"' for key, value in program.environment.items()
                ),
                autostart=str(program.at_once).lower(),
                steady_seconds=program.steady_seconds,
                stop_seconds=program.stop_seconds,
                priority=program.priority,
                logs=_plain(self.logs),
            )
            for program in programs
        ]
        services = ",".join(program.name for program in programs if not program.at_once)
        group = f"\n[group:services]\nprograms={services}\npriority=20\n" if services else ""
        return server + "".join(parts) + group

    def states(self) -> dict[str, ProgramState]:
        """Of every process, by name. Raises OSError when the supervisor is not there."""
        infos = self._call("getAllProcessInfo")
        return {
            info["name"]: ProgramState(
                info["name"],
                info["statename"],
                info["pid"],
                max(0, info["now"] - info["start"]) if info["pid"] else 0,
                info["spawnerr"],
            )
            for info in infos
        }

    def start_services(self) -> None:
        """Starts every service that does not run, without waiting for it."""
        if any(info["group"] == "services" for info in self._call("getAllProcessInfo")):
            self._call("startProcessGroup", "services", False)

    def stop(self, name: str) -> None:
        """Stops one process, for good until it is started again; waits for it."""
        self._call("stopProcess", self._full_name(name), True)

    def start_one(self, name: str) -> None:
        """Starts one process that was stopped, without waiting until it is steady."""
        self._call("startProcess", self._full_name(name), False)

    def shutdown(self, timeout: float = 90) -> None:
        """Stops every process, services first, then supervisord itself, and waits for it."""
        process = self.pids.process("supervisord")
        try:
            self._call("shutdown")
        except OSError:
            return
        if process is not None:
            process.wait(timeout)

    def _full_name(self, name: str) -> str:
        for info in self._call("getAllProcessInfo"):
            if info["name"] == name:
                return f"{info['group']}:{name}"
        raise KeyError(f"no process {name!r}")

    def _call(self, method: str, *arguments: Any) -> Any:
        from supervisor.xmlrpc import SupervisorTransport

        transport = SupervisorTransport(None, None, f"unix://{self._socket}")
        with xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport) as proxy:
            return getattr(proxy.supervisor, method)(*arguments)


def socket_path(var: Path) -> Path:
    """In the data folder; where its path is too long for a socket, in /tmp under a name made from it."""
    inside = var / "run" / "supervisor.sock"
    if len(os.fsencode(inside)) <= LONGEST_SOCKET:
        return inside
    return Path("/tmp") / f"sluicegate-{os.getuid()}-{hashlib.sha256(os.fsencode(var)).hexdigest()[:16]}.sock"


def _plain(value: object) -> str:
    """Text that supervisord's configuration takes as it is."""
    return str(value).replace("%", "%%")
