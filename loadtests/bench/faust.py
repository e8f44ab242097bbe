"""`python -m loadtests.bench.faust`: our classifier and router on one core against a plain Faust app on the same core.

The Faust app (loadtests/peers/faust_app.py) calls the same functions one event at a time. Both work a backlog of the
same posts off on the same broker, which has a core of its own, and take turns. A lap lasts from the first scored item
to the last decision. Lines of `name value unit goal`.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any

import click
import httpx

from infra.local.errors import StackError
from infra.local.processes import PROCESSES
from infra.local.readiness import readiness
from loadtests.ground import Ground
from loadtests.hose import NotTaken, publish
from loadtests.peers.faust_app import topics_of
from loadtests.race import (
    Cores,
    Finish,
    TooFewCores,
    cpu_seconds,
    laps,
    make_topics,
    on_core,
    rate_since,
    running,
    two_cores,
)
from loadtests.waiting import NotInTime, until

GOAL = 8
LAP_SECONDS = 120


class Race:
    """Laps on one stack; `lap` makes the prefix of the items."""

    def __init__(self, ground: Ground, cores: Cores, items: int, faust_items: int) -> None:
        self._ground, self._cores = ground, cores
        self._items, self._faust_items = items, faust_items
        self._settings, self._kafka = ground.settings, ground.settings.kafka
        self.cpu: dict[str, list[float]] = {"sluicegate": [], "faust": []}

    def sluicegate(self, lap: int) -> float:
        """Items a second through our two processes, as the stack runs them; the router is ready before it begins."""
        publish(self._kafka, f"ours{lap}", 0, LAP_SECONDS, self._items)
        log, workers = self._log("sluicegate"), []
        with ExitStack() as stack:
            scored = stack.enter_context(Finish(self._kafka, "content.classified"))
            decided = stack.enter_context(Finish(self._kafka, "content.decided"))
            for process in (p for name in ("router", "classifier") for p in PROCESSES if p.name == name):
                environment = process.environment(self._settings)
                workers.append(
                    stack.enter_context(running(process.command(), environment, self._cores.contender, log))
                )
                if process.name == "router":
                    self._until_ready(process.health_url(self._settings))
            return self._timed("sluicegate", self._items, workers, scored, decided)

    def faust(self, lap: int) -> float:
        """Items a second through the Faust app; each lap is an app of its own."""
        name = f"faust{lap}"
        submitted, classified, decided, requested = topics_of(name)
        make_topics(self._settings, submitted, classified, decided, requested)
        publish(self._kafka, f"ours{lap}", 0, LAP_SECONDS, self._faust_items, topic=submitted)
        var = self._settings.var
        environment = {
            "KAFKA": self._kafka,
            "NAME": name,
            "POLICY": var / "policy.yaml",
            "FOLDER": var / name,
        }
        command = [sys.executable, "-m", "loadtests.peers.faust_app"]
        prefixed = {f"FAUST_RACE_{key}": str(value) for key, value in environment.items()}
        with (
            Finish(self._kafka, classified) as scored,
            Finish(self._kafka, decided) as finish,
            running(command, prefixed, self._cores.contender, self._log("faust")) as worker,
        ):
            return self._timed("faust", self._faust_items, [worker], scored, finish)

    def _timed(self, name: str, items: int, workers: Sequence[Any], scored: Finish, decided: Finish) -> float:
        log = self._log(name)
        scored.wait(1, workers, LAP_SECONDS, log)
        before = cpu_seconds(workers)
        stamps = decided.wait(items, workers, LAP_SECONDS, log)
        self.cpu[name].append((cpu_seconds(workers) - before) / items * 1e6)
        return rate_since(scored.wait(items, workers, LAP_SECONDS, log)[0], stamps)

    def _until_ready(self, url: str) -> None:
        with httpx.Client(timeout=2) as client:
            until("the router to be ready", lambda: readiness(client, url).ready, 60)

    def _log(self, name: str) -> Path:
        return self._settings.var / f"{name}.log"


@click.command()
@click.option("--items", default=80_000, show_default=True, help="Items a lap of ours")
@click.option("--faust-items", default=15_000, show_default=True, help="Items a lap of Faust")
@click.option("--rounds", default=3, show_default=True, help="Laps of each")
def main(items: int, faust_items: int, rounds: int) -> None:
    """Measure, and print `name value unit goal`."""
    with tempfile.TemporaryDirectory() as var:
        try:
            cores = two_cores()
            with on_core(cores.broker), Ground(Path(var), (), say=_say) as ground:
                race = Race(ground, cores, items, faust_items)
                ours, theirs = laps(rounds, _say, race.sluicegate, race.faust)
        except (StackError, NotInTime, NotTaken, TooFewCores) as error:
            raise click.ClickException(str(error)) from error
    print(f"faust_ratio {median(ours) / median(theirs):.2f} times >={GOAL}")
    print(f"faust_ratio_ours {median(ours):.0f} items/s -")
    print(f"faust_ratio_faust {median(theirs):.0f} items/s -")
    cpu = {name: median(costs) for name, costs in race.cpu.items()}
    print(f"faust_ratio_by_cpu {cpu['faust'] / cpu['sluicegate']:.2f} times -")
    for name, cost in cpu.items():
        print(f"faust_ratio_cpu_{name}_us {cost:.1f} us/item -")


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
