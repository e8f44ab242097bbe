"""A stack to measure on: chosen processes on free ports, a policy made for the hose's posts, and what each costs."""

from __future__ import annotations

import subprocess
import sys
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import psutil
import yaml

from infra.local.bootstrap import STARTER, STEPS, Say, Step
from infra.local.ports import Port, free_ports
from infra.local.processes import PROCESSES, Process, variable
from infra.local.settings import StackSettings, on_free_ports
from infra.local.stack import Stack
from loadtests.hose import Hose
from services.cli import policies
from services.runtime.settings import Settings
from services.scoring import bundle

HOT_PATH = ("classifier", "router", "analytics", "monitor")
TO_PEOPLE = 0.04  # share of items between the thresholds; audits come on top


@dataclass(frozen=True, kw_only=True)
class Another(Process):
    """One more worker of a service: the shards are divided among them."""

    slot: int
    number: int  # of its port

    @classmethod
    def of(cls, process: Process, slot: int) -> Self:
        """Beside `process`, which has slot 0."""
        (number,) = free_ports(1)
        same = {each.name: getattr(process, each.name) for each in fields(process)}
        return cls(**same | {"name": f"{process.name}-{slot}"}, slot=slot, number=number)

    def port(self, settings: StackSettings) -> Port:
        return Port(self.number, self.name, variable(self.stack_port))

    def environment(self, settings: StackSettings) -> dict[str, str]:
        return super().environment(settings) | {variable("slot"): str(self.slot)}


class Ground:
    """Use it in a `with`: the stack is up inside and gone afterwards."""

    def __init__(
        self,
        var: Path,
        names: Sequence[str] = HOT_PATH,
        say: Say = lambda line: None,
        document: Callable[[], dict[str, Any]] | None = None,
        shards: int | None = None,
        routers: int = 1,
    ) -> None:
        """`document` makes the policy; left out, it is `policy`. `shards` None: as many as a stack has anyway."""
        self.settings = on_free_ports(var, **({} if shards is None else {"shards": shards}))
        chosen = [process for process in PROCESSES if process.name in names]
        router = [process for process in chosen if process.name == "router"]
        chosen += [Another.of(process, slot) for process in router for slot in range(1, routers)]
        steps = [step for step in STEPS if step.name != "policy"]
        release = partial(release_policy, document=document or policy)
        self.stack = Stack(self.settings, chosen, [*steps, Step("policy", release)], say)
        self._processes: dict[str, psutil.Process] = {}

    def __enter__(self) -> Self:
        try:
            self.stack.up()
        except BaseException:
            self.stack.down()
            raise
        alive = self.stack.supervisor.pids.alive()
        self._processes = {name: process for name, process in alive.items() if name != "supervisord"}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stack.down()

    def cpu_seconds(self) -> dict[str, float]:
        """CPU seconds of each process since it began, user and system."""
        found = {name: process.cpu_times() for name, process in self._processes.items()}
        return {name: times.user + times.system for name, times in found.items()}

    def lag(self) -> dict[str, float]:
        """Records that each process has not consumed, by what it says itself."""
        return {
            process.name: _sum(process.health_url(self.settings) + "/metrics", "lag_records")
            for process in self.stack.processes
            if process.name != "monitor"
        }

    def hose(self, rate: float, seconds: float, prefix: str) -> subprocess.Popen[str]:
        """A process that publishes; it prints how many Kafka acknowledged."""
        command = [sys.executable, "-m", "loadtests.hose", "--kafka", self.settings.kafka]
        command += ["--prefix", prefix, "--rate", str(rate), "--seconds", str(seconds)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def release_policy(settings: Settings, say: Say, document: Callable[[], dict[str, Any]]) -> None:
    """Releases what `document` makes."""
    path = Path(settings.var) / "policy.yaml"
    path.write_text(yaml.safe_dump(document()))
    event = policies.release_policy(settings, path, policies.person(), "to measure with")
    say(f"released {event.policy_version}")


def policy() -> dict[str, Any]:
    """The starter policy, with thresholds such that TO_PEOPLE of the hose's posts lie between those of toxicity."""
    document: dict[str, Any] = yaml.safe_load((STARTER / "policy.yaml").read_text("utf-8"))
    model = bundle.load(STARTER)
    scores = model.classifier.classify(Hose("probe").texts(4000)).probability
    for column, name in enumerate(model.categories):
        found = scores[:, column]
        high = float(np.quantile(found, 0.5 if name == "toxicity" else 0.95))
        between = TO_PEOPLE if name == "toxicity" else 0.0
        low = float(np.quantile(found, (0.5 if name == "toxicity" else 0.95) - between))
        document["categories"][name] |= {"remove": round(high + 1e-4, 5), "allow": round(low, 5)}
    return document


def each(before: Mapping[str, float], after: Mapping[str, float], items: int) -> dict[str, float]:
    """Microseconds of CPU an item, by process."""
    return {name: (after[name] - before[name]) / items * 1e6 for name in before}


def _sum(url: str, name: str) -> float:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            lines = answer.read().decode().splitlines()
    except OSError:  # it is being started again
        return float("inf")
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if name in line and not line.startswith("#"))
