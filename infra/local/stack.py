"""The whole stack on this machine: up, down, status; and a signal to any of its processes, for tests of faults."""

from __future__ import annotations

import fcntl
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import httpx

from infra.local import ports
from infra.local.bootstrap import STEPS, Step
from infra.local.errors import NotReady
from infra.local.kafka import Kafka
from infra.local.ports import Port
from infra.local.processes import PROCESSES, Process
from infra.local.readiness import Readiness, readiness
from infra.local.redis import Redis
from infra.local.server import Server
from infra.local.settings import StackSettings
from infra.local.supervisor import Program, Supervisor

Say = Callable[[str], None]
SERVER_SECONDS = 180  # that Kafka may take to recover a long log after a crash


@dataclass(frozen=True)
class Status:
    """Of one process: the supervisor's word and its own."""

    name: str
    state: str
    pid: int
    seconds: int  # since it was started
    readiness: Readiness
    url: str


class Stack:
    """One stack: everything in the folder `settings.var`, on the ports of `settings`. Any number run side by side.

    `processes` are the services to run beside Kafka and Redis, those of them that the settings call for; `steps` is
    what is done before they start.
    """

    def __init__(
        self,
        settings: StackSettings,
        processes: Sequence[Process] = PROCESSES,
        steps: Sequence[Step] = STEPS,
        say: Say = lambda line: None,
    ) -> None:
        self.settings = settings
        self.processes = [process for process in processes if process.runs(settings)]
        self.steps = steps
        self.kafka = Kafka(
            settings.var / "kafka", settings.kafka_port, settings.kafka_controller_port, settings.kafka_jars
        )
        self.redis = Redis(settings.var / "redis", settings.redis_port)
        self.supervisor = Supervisor(settings.var)
        for server in (self.kafka, self.redis):
            server.log = self.supervisor.logs / f"{server.name}.log"
        self._say = say

    def up(self) -> bool:
        """Starts what does not run, and returns when every process is ready; False when all of it was up already.

        Raises PortTaken, JarsUnavailable, JavaUnavailable, RedisUnavailable or NotReady, all a StackError, and
        PartitionCountDiffers.
        """
        with self._alone():
            was_up = self.supervisor.alive()
            if not was_up:
                self._start_supervisor()
            self._wait_for(self.kafka)
            self.kafka.wait_for_transactions()
            self._wait_for(self.redis)
            for step in self.steps:
                step.run(self.settings, self._say)
            before = self.supervisor.states()
            self.supervisor.start_services()
            self.wait_ready()
            running = {name: state.pid for name, state in self.supervisor.states().items()}
        return not (was_up and running == {name: state.pid for name, state in before.items()})

    def down(self) -> list[str]:
        """Stops everything of this stack and waits for it; returns the names of what was running."""
        with self._alone():
            running = sorted(set(self.supervisor.pids.alive()) - {"supervisord"})
            if self.supervisor.alive():
                self.supervisor.shutdown()
            self.supervisor.pids.end_all()
        return running

    def status(self) -> list[Status]:
        """Of Kafka, Redis and every service."""
        states = self.supervisor.states() if self.supervisor.alive() else {}
        found = []
        with httpx.Client(timeout=2) as client:
            for name, url, ask in self._questions(client):
                state = states.get(name)
                word = state.state if state else "DOWN"
                answer = ask() if state and state.pid else Readiness(False, self._last_words(name))
                pid, seconds = (state.pid, state.seconds) if state else (0, 0)
                found.append(Status(name, word, pid, seconds, answer, url))
        return found

    def pid(self, name: str) -> int:
        """Raises NotReady when no such process runs."""
        state = self.supervisor.states().get(name) if self.supervisor.alive() else None
        if state is None or not state.pid:
            raise NotReady(f"{name} does not run: see `python -m infra.local status` for what does")
        return state.pid

    def kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> int:
        """Sends a signal to a process and returns the pid it had; the supervisor starts it again when it ends."""
        process = self.supervisor.pids.process(name)
        if process is None:
            raise NotReady(f"{name} does not run: see `python -m infra.local status` for what does")
        process.send_signal(number)
        return int(process.pid)

    def wait_ready(self, names: Sequence[str] | None = None) -> None:
        """Until these services (all that are awaited) are ready. Raises NotReady, naming who is not and why."""
        waiting = {
            process.name: process
            for process in self.processes
            if (process.awaited if names is None else process.name in names)
        }
        total, deadline = len(waiting), time.monotonic() + self.settings.ready_seconds
        reasons: dict[str, str] = {}
        with httpx.Client(timeout=2) as client:
            while waiting:
                for name, process in list(waiting.items()):
                    answer = readiness(client, process.health_url(self.settings))
                    if answer.ready:
                        del waiting[name]
                        self._say(f"{name} is ready ({total - len(waiting)} of {total})")
                    else:
                        reasons[name] = answer.reason
                if waiting and time.monotonic() > deadline:
                    raise NotReady(self._explain({name: reasons[name] for name in waiting}))
                if waiting:
                    time.sleep(0.1)

    def ports(self) -> list[Port]:
        """Everything that is to listen."""
        return [
            Port(self.kafka.port, "kafka", "SLUICEGATE_KAFKA"),
            Port(self.kafka.controller_port, "kafka's controller", "SLUICEGATE_KAFKA_CONTROLLER_PORT"),
            Port(self.redis.port, "redis", "SLUICEGATE_REDIS_URL"),
            *(process.port(self.settings) for process in self.processes),
        ]

    def programs(self) -> list[Program]:
        """Everything that the supervisor runs."""
        servers = [
            Program(
                server.name,
                server.command(),
                at_once=True,
                steady_seconds=2,
                stop_seconds=int(server.stop_seconds),
                priority=1,
            )
            for server in (self.kafka, self.redis)
        ]
        services = [
            Program(process.name, process.command(), process.environment(self.settings))
            for process in self.processes
        ]
        return servers + services

    @contextmanager
    def _alone(self) -> Iterator[None]:
        run = self.settings.var / "run"
        run.mkdir(parents=True, exist_ok=True)
        with (run / "stack.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _start_supervisor(self) -> None:
        if leftovers := self.supervisor.pids.end_all():
            self._say(f"ended what a crash had left running: {', '.join(leftovers)}")
        ports.check(self.ports())
        for server in (self.kafka, self.redis):
            server.prepare()
        self.supervisor.start(self.programs())

    def _wait_for(self, server: Server) -> None:
        patience = time.monotonic() + 15

        def given_up() -> str | None:
            state = self.supervisor.states()[server.name].state
            return (
                "ends as often as it is started"
                if state == "BACKOFF" and time.monotonic() > patience
                else None
            )

        server.wait(SERVER_SECONDS, given_up)
        self._say(f"{server.name} is ready")

    def _explain(self, reasons: dict[str, str]) -> str:
        states = self.supervisor.states()
        lines = [
            f"  {name}: {reason} (supervisor says {states[name].state}; log: {self.supervisor.logs / name}.log)"
            for name, reason in reasons.items()
        ]
        seconds = self.settings.ready_seconds
        head = f"not ready after {seconds} s; the rest runs on (`sluicegate status` shows all, `down` stops all):"
        return "\n".join([head, *lines])

    def _last_words(self, name: str) -> str:
        log = self.supervisor.logs / f"{name}.log"
        lines = log.read_text(errors="replace").splitlines() if log.exists() else []
        return f"not running; the last line of {log}: {lines[-1]}" if lines else "not running"

    def _questions(self, client: httpx.Client) -> Iterator[tuple[str, str, Callable[[], Readiness]]]:
        for server, url in ((self.kafka, self.kafka.bootstrap), (self.redis, self.redis.url)):
            yield server.name, url, lambda server=server: _answer(server)  # type: ignore[misc]
        for process in self.processes:
            url = process.health_url(self.settings)
            yield process.name, url, lambda url=url: readiness(client, url)  # type: ignore[misc]


def _answer(server: Server) -> Readiness:
    return Readiness(True) if server.answers() else Readiness(False, "does not answer")
