"""`python -m loadtests.demo [--exit]`: the whole loop on this machine, told as a story, with the figures at its end.

Exit 0 only if every bar is met.
"""

from __future__ import annotations

import fcntl
import gc
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from infra.local.access import demo_access
from infra.local.bootstrap import STEPS, shown
from infra.local.errors import StackError
from infra.local.settings import StackSettings
from infra.local.stack import Stack
from loadtests.figures import Caught, Latency
from loadtests.play import NotTaken
from loadtests.rig import Rig
from loadtests.story import Story, Told
from loadtests.waiting import NotInTime

# Trainings start when the story says so, and only a category with enough labels held out changes: with a handful, the
# comparison with the live model is a matter of luck, and the story would not end the same way every time.
STORY = {"SLUICEGATE_RETRAIN_AFTER": "1000000", "SLUICEGATE_FROZEN_POSITIVES": "20"}


class AnotherDemo(Exception):
    """One is running in the same folder."""


@dataclass(frozen=True)
class Bar:
    """One line of the table: what, how much, and whether that is enough (None: nothing is asked of it)."""

    what: str
    figure: str
    met: bool | None = None
    wanted: str = ""


def bars(told: Told) -> list[Bar]:
    """The table."""
    figures, report = told.figures, told.report
    caught = figures.after.by_machine > figures.before.by_machine
    differing = [f"{d.topic} {d.rows} of {d.kafka}" for d in told.clickhouse]
    return [
        Bar("posts ingested", f"{figures.posts}", figures.posts > 1000, "> 1000"),
        Bar("decided by machine", _actions(figures.machine), figures.machine.total() > 0, "> 0"),
        Bar("decided by people", _actions(figures.people), figures.people.total() > 0, "> 0"),
        Bar("campaign, before (1st wave)", _caught(figures.before)),
        Bar("campaign, meanwhile (2nd)", _caught(figures.meanwhile)),
        Bar("campaign, after (3rd)", _caught(figures.after), caught, "caught more often"),
        Bar("model live before", told.starter),
        Bar(
            "model live after",
            f"{told.retrained}, {figures.versions[told.retrained]} decisions",
            told.retrained != told.starter and figures.versions[told.retrained] > 0,
            "a second version",
        ),
        Bar("labels", f"{report.labels}"),
        Bar("audits agreed with the machine", f"{figures.audits_agreed} of {figures.audits}"),
        Bar("people decided as labelled", "-" if figures.as_known is None else f"{figures.as_known:.1%}"),
        Bar("latency, machine", _latency(figures.latency_machine)),
        Bar("latency, people (5.5 s to undo included)", _latency(figures.latency_people)),
        Bar("alarms", "; ".join(told.alarms) or "none"),
        Bar(
            "ClickHouse against Kafka", ", ".join(differing) or "equal on every topic", not differing, "equal"
        ),
        Bar("lost", f"{report.count('lost')}", not report.count("lost"), "0"),
        Bar("duplicated", f"{report.count('duplicated')}", not report.count("duplicated"), "0"),
        Bar("contradicting", f"{report.count('wrong')}", not report.count("wrong"), "0"),
    ]


def _actions(counted: dict[str, int]) -> str:
    return f"{sum(counted.values())}: " + ", ".join(f"{n} {action}" for action, n in sorted(counted.items()))


def _caught(caught: Caught) -> str:
    return (
        f"{caught.by_machine:.0%} removed by machine, {caught.asked:.0%} shown to people (of {caught.posts})"
    )


def _latency(latency: Latency) -> str:
    if latency.p50 is None or latency.p95 is None:
        return "-"
    return f"p50 {latency.p50:,.0f} ms, p95 {latency.p95:,.0f} ms"


def render(lines: list[Bar], seconds: float) -> Table:
    """As it is printed."""
    table = Table(title=f"What happened, in {seconds:.0f} s", title_justify="left")
    table.add_column("")
    table.add_column("figure", overflow="fold")
    table.add_column("wanted")
    for line in lines:
        mark = {None: "", True: "[green]met[/green] ", False: "[red]missed[/red] "}[line.met]
        table.add_row(line.what, line.figure, f"{mark}{line.wanted}")
    return table


@contextmanager
def fresh_stack(settings: StackSettings, console: Console) -> Iterator[Stack]:
    """A stack without a past in `settings.var`, up; down when the block is left. Raises StackError, AnotherDemo."""
    settings.var.parent.mkdir(parents=True, exist_ok=True)
    with Path(f"{settings.var}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AnotherDemo(
                f"a demo is running in {settings.var} already: end it, or set SLUICEGATE_VAR"
            ) from error
        stack = Stack(settings, steps=STEPS, say=lambda line: console.print(f"  {line}", highlight=False))
        stack.down()  # what a demo that was killed has left running
        shutil.rmtree(settings.var, ignore_errors=True)
        try:
            stack.up()
            yield stack
        finally:
            console.print("stopping every process")
            gc.collect()  # clients that are still about would complain that the broker goes
            stack.down()


def run(settings: StackSettings, console: Console, leave: bool) -> bool:
    """The demo; whether every bar was met. Unless it is to `leave`, the stack stays up until Ctrl-C."""
    started = time.monotonic()
    console.print(f"starting Kafka, Redis and every service, data in {settings.var}")
    with fresh_stack(settings, console) as stack:
        access = demo_access(settings)
        with Rig(settings, access, "demo", settings.var) as rig:
            story = Story(rig, console)
            told = story.tell()
            lines = bars(told)
            console.print(render(lines, time.monotonic() - started))
            for finding in told.report.findings[:20]:
                console.print(f"{finding.kind}: {finding.what}: {finding.where}")
            for what in ("lost", "duplicated"):
                console.print(f"{what} {next(line.figure for line in lines if line.what == what)}")
            rig.send_home()
            if not leave:
                story.leave_work()
                console.print(f"\nconsole  {settings.review_url}   (posts wait for you)")
                console.print(f"charts   {settings.analytics_url}")
                console.print("\n".join(shown(access)), highlight=False)
                console.print(f"logs     {stack.supervisor.logs}\nCtrl-C ends it")
                threading.Event().wait()
    return all(line.met is not False for line in lines)


@click.command()
@click.option("--exit", "leave", is_flag=True, help="End when the table is printed.")
def main(leave: bool) -> None:
    """Run the whole loop on this machine and print what happened."""
    settings = StackSettings(var=StackSettings().var / "demo")
    for name, value in STORY.items():
        os.environ.setdefault(name, value)
    console = Console() if sys.stdout.isatty() else Console(width=120)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # everything is stopped then, too
    try:
        met = run(settings, console, leave)
    except KeyboardInterrupt:
        sys.exit(0 if not leave else 130)
    except (StackError, AnotherDemo, NotInTime, NotTaken) as error:
        raise click.ClickException(str(error)) from error
    if not met:
        raise click.ClickException("a bar was missed: see the table")


if __name__ == "__main__":
    main()
