"""`python -m loadtests.bench.quix`: passing records through our loop against passing them through Quix Streams.

Decode, a trivial function, encode, produce (loadtests/peers/pass_through.py and quix_app.py); both exactly once, both
committing every 100 ms, on the same core and the same records, the broker on another core; they take turns. Quix
Streams pins a confluent-kafka older than ours, so it gets an environment of its own, made once under `--environments`.
Lines of `name value unit goal`.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from statistics import median

import click

from infra.local.errors import StackError
from infra.local.processes import variable
from loadtests import peers
from loadtests.ground import Ground
from loadtests.hose import NotTaken, publish
from loadtests.race import (
    Cores,
    Finish,
    TooFewCores,
    cpu_seconds,
    laps,
    make_topics,
    middle_rate,
    on_core,
    running,
    two_cores,
)
from loadtests.waiting import NotInTime

GOAL = 3
QUIX = "quixstreams==3.28.1"
COMMIT_SECONDS = 0.1
FIRST_BATCH = 5000
LAP_SECONDS = 120
INSTALL_SECONDS = 300


class NoQuix(Exception):
    """Quix Streams could not be installed; the text is pip's."""


def quix_python(environments: Path) -> Path:
    """The Python of an environment that has Quix Streams. Raises NoQuix."""
    folder = environments / QUIX.replace("==", "-")
    python, done = folder.absolute() / "bin" / "python", folder / ".done"
    if not done.exists():
        _say(f"installing {QUIX} into {folder}")
        venv.create(folder, clear=True, with_pip=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", QUIX]
        try:
            made = subprocess.run(pip, capture_output=True, text=True, timeout=INSTALL_SECONDS)
        except subprocess.TimeoutExpired as expired:
            raise NoQuix(f"pip took over {INSTALL_SECONDS} s to install {QUIX}: run it again") from expired
        if made.returncode != 0:
            raise NoQuix(f"pip could not install {QUIX}: {made.stderr.strip()[-500:]}")
        done.touch()
    return python


class Race:
    """Laps on one stack. Both contenders of a lap read the same topic, each as a group of its own."""

    def __init__(self, ground: Ground, cores: Cores, items: int, python: Path) -> None:
        self._settings, self._kafka = ground.settings, ground.settings.kafka
        self._cores, self._items, self._python = cores, items, python
        self._batch = (
            FIRST_BATCH  # our loop commits by batches: as large as what the lap before did in COMMIT_SECONDS
        )
        self.cpu: dict[str, list[float]] = {"sluicegate": [], "quix": []}
        self.commit_ms: list[float] = []

    def sluicegate(self, lap: int) -> float:
        """Records a second through our loop. It comes first in a lap, so it publishes what both read."""
        make_topics(self._settings, f"lap{lap}", f"ours{lap}", f"quix{lap}")
        publish(self._kafka, f"lap{lap}", 0, LAP_SECONDS, self._items, topic=f"lap{lap}")
        settings = {
            "kafka": self._kafka,
            "through_group": f"ours{lap}",
            "through_from": f"lap{lap}",
            "through_to": f"ours{lap}",
            "batch_records": str(self._batch),
            "batch_wait_ms": str(int(COMMIT_SECONDS * 1000)),
        }
        rate = self._run(
            "sluicegate",
            f"ours{lap}",
            [sys.executable, "-m", "loadtests.peers.pass_through"],
            {variable(name): value for name, value in settings.items()},
        )
        self.commit_ms.append(self._batch / rate * 1000)
        self._batch = max(100, int(rate * COMMIT_SECONDS))
        return rate

    def quix(self, lap: int) -> float:
        """Records a second through Quix Streams."""
        app = Path(peers.__file__).parent / "quix_app.py"
        arguments = [self._kafka, f"quix{lap}", f"lap{lap}", f"quix{lap}", self._settings.var / f"quix{lap}"]
        command = [self._python, app, *arguments, COMMIT_SECONDS]
        return self._run("quix", f"quix{lap}", [str(word) for word in command], {})

    def _run(self, name: str, to: str, command: list[str], environment: dict[str, str]) -> float:
        log = self._settings.var / f"{name}.log"
        with (
            Finish(self._kafka, to) as finish,
            running(command, environment, self._cores.contender, log) as worker,
        ):
            finish.wait(1, [worker], LAP_SECONDS, log)
            before = cpu_seconds([worker])
            stamps = finish.wait(self._items, [worker], LAP_SECONDS, log)
            self.cpu[name].append((cpu_seconds([worker]) - before) / self._items * 1e6)
        return middle_rate(stamps)


@click.command()
@click.option("--items", default=600_000, show_default=True, help="Records a lap")
@click.option("--rounds", default=3, show_default=True, help="Laps of each")
@click.option(
    "--environments",
    default=Path("var/peers"),
    type=click.Path(path_type=Path),
    show_default=True,
    help="Folder that keeps the environment of Quix Streams",
)
def main(items: int, rounds: int, environments: Path) -> None:
    """Measure, and print `name value unit goal`."""
    with tempfile.TemporaryDirectory() as var:
        try:
            python, cores = quix_python(environments), two_cores()
            with on_core(cores.broker), Ground(Path(var), (), say=_say) as ground:
                race = Race(ground, cores, items, python)
                ours, theirs = laps(rounds, _say, race.sluicegate, race.quix)
        except (StackError, NotInTime, NotTaken, TooFewCores, NoQuix) as error:
            raise click.ClickException(str(error)) from error
    print(f"quix_ratio {median(ours) / median(theirs):.2f} times >={GOAL}")
    print(f"quix_ratio_ours {median(ours):.0f} records/s -")
    print(f"quix_ratio_quix {median(theirs):.0f} records/s -")
    cpu = {name: median(costs) for name, costs in race.cpu.items()}
    print(f"quix_ratio_by_cpu {cpu['quix'] / cpu['sluicegate']:.2f} times -")
    for name, cost in cpu.items():
        print(f"quix_ratio_cpu_{name}_us {cost:.1f} us/record -")
    print(f"quix_ratio_commit_ms {median(race.commit_ms):.0f} ms -")


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
