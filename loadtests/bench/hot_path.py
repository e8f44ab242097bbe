"""`python -m loadtests.bench.hot_path`: the stream at a steady rate, with broker, sink and monitor on the same machine.

Lines of `name value unit goal`. A platform publishes at `--rate` for `--seconds`; after a fifth of that (a minute of
five) the lag is noted, and must not be higher at the end; in between it is counted what an item costs each process, and
the platform. Latency is measured at half of the rate, from the append of a submission until a read-committed reader has
its outcome. The policy has everything on (loadtests.full_policy).
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import click
import msgspec
import numpy as np
import psutil

from infra.local.errors import StackError
from loadtests.full_policy import full_policy
from loadtests.ground import HOT_PATH, Ground, each
from loadtests.race import cpu_seconds
from loadtests.scan import ScanTimeout
from loadtests.tally import Tally, tally
from loadtests.waiting import NotInTime, until
from services.events.instants import to_millis
from services.runtime.clock import now_ms
from services.runtime.reading import whole_topics

GOAL = 11_574
BUDGET_US = 173  # two cores, divided by the goal
DRAIN_SECONDS = 300


class _Aged(msgspec.Struct):
    item_id: str
    accepted_at: str
    final: bool = False
    purpose: str | None = None


def sustain(ground: Ground, rate: float, seconds: float) -> tuple[Tally, float]:
    """What came of the items, and the outcomes a second from the first fifth to the end. Prints lags and costs."""
    started = time.time()
    hose = ground.hose(rate, seconds, "sustained")
    platform = psutil.Process(hose.pid)

    def cpu() -> dict[str, float]:
        return ground.cpu_seconds() | {"platform": cpu_seconds([platform])}

    time.sleep(seconds / 5)
    first, before, since = _lag(ground), cpu(), time.time()
    while time.time() < started + seconds - 3:  # it is there to be asked until the last item is out
        time.sleep(0.5)
    end, after, last = _lag(ground), cpu(), time.time()
    count = _published(hose)
    _drained(ground)
    found = tally(ground.settings.kafka, "sustained", count)
    reached = found.between(since, last)
    _print("hot_path_rate", reached, "items/s", f">={GOAL}")
    for name in first:
        _print(f"lag_{name}_first", first[name], "records", "-")
        _print(f"lag_{name}_end", end[name], "records", f"<={first[name]:.0f}")
    costs = each(before, after, max(1, int(reached * (last - since))))
    for name, cost in costs.items():
        _print(f"cpu_{name}_us", cost, "us/item", "-")
    _print("cpu_all_us", sum(costs.values()), "us/item", f"<={BUDGET_US}")
    return found, reached


def latency(ground: Ground, rate: float, seconds: float) -> tuple[float, float]:
    """Median and 99th percentile in ms, as a reader of committed outcomes sees them; the first fifth warms up."""
    topics = ["content.decided", *(f"review.requested.{queue}" for queue in ("general", "expert", "audit"))]
    reader = whole_topics(ground.settings, "latency", topics)
    decode = msgspec.json.Decoder(_Aged).decode
    ages: list[int] = []
    for _ in reader.to_end():
        pass
    hose = ground.hose(rate, seconds, "timed")
    started = time.monotonic()
    while hose.poll() is None:
        for record in reader.poll(0.005):
            event = decode(record.value or b"")
            outcome = event.final or event.purpose == "decision"
            if outcome and event.item_id.startswith("timed-") and time.monotonic() > started + seconds / 5:
                ages.append(now_ms() - to_millis(event.accepted_at))
    reader.close()
    _published(hose)
    if not ages:
        raise NotInTime("no outcome came while items were published")
    return float(np.percentile(ages, 50)), float(np.percentile(ages, 99))


def _lag(ground: Ground) -> dict[str, float]:
    """The median of five looks at the lag of each process, half a second apart."""
    looks = []
    for _ in range(5):
        looks.append(ground.lag())
        time.sleep(0.5)
    return {name: median(look[name] for look in looks) for name in looks[0]}


def _published(hose: subprocess.Popen[str]) -> int:
    out, _ = hose.communicate(timeout=DRAIN_SECONDS)
    if hose.returncode != 0:
        raise NotInTime("the platform could not publish its items")
    return int(out)


def _drained(ground: Ground) -> None:
    """Until nobody has anything before them, the sink neither: what it makes up for is no part of half the rate."""

    def look() -> bool:
        return not any(ground.lag().values())

    until("every process to come to the end", look, DRAIN_SECONDS, ground.lag, every=1)


def _print(name: str, value: float, unit: str, goal: str) -> None:
    print(f"{name} {value:.6g} {unit} {goal}", flush=True)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


@click.command()
@click.option("--rate", default=float(GOAL), show_default=True, help="Items a second")
@click.option("--seconds", default=300.0, show_default=True, help="How long")
@click.option("--timed-seconds", default=60.0, show_default=True, help="How long latency is measured")
@click.option("--shards", default=2, show_default=True, help="Partitions, at least one for each router")
@click.option(
    "--routers", default=2, show_default=True, help="Workers of the router; every other stage has one"
)
def main(rate: float, seconds: float, timed_seconds: float, shards: int, routers: int) -> None:
    """Measure, and print `name value unit goal`. Exits with 1 where an item was lost or came twice."""
    with tempfile.TemporaryDirectory() as var:
        try:
            with Ground(Path(var), HOT_PATH, _say, full_policy, shards, routers) as ground:
                found, _ = sustain(ground, rate, seconds)
                p50, p99 = latency(ground, rate / 2, timed_seconds)
        except (StackError, NotInTime, ScanTimeout) as error:
            raise click.ClickException(str(error)) from error
    _print("hot_path_p50_ms", p50, "ms", "<=50")
    _print("hot_path_p99_ms", p99, "ms", "<=200")
    _print("share_to_people", found.asked / max(1, found.items), "share", "0.05")
    _print("lost", found.lost, "items", "0")
    _print("duplicated", found.duplicated, "items", "0")
    sys.exit(1 if found.lost or found.duplicated else 0)


if __name__ == "__main__":
    main()
