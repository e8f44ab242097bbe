"""`python -m loadtests.bench.moderate`: how long a verdict in the same call takes, until Kafka has it.

Lines of `name value unit goal`. Ingest, classifier and router run as in the local stack; requests leave on a schedule
that waits for no answer (open loop), and a request's time counts from when it was due, so that a server which stalls is
charged with all that it keeps waiting. The figure is the median over windows of their 99th percentiles.
"""

from __future__ import annotations

import asyncio
import gc
import statistics
import sys
import tempfile
import time
from pathlib import Path

import click
import httpx
import msgspec
import numpy as np

from infra.local.errors import StackError
from infra.local.processes import PROCESSES
from infra.local.settings import on_free_ports
from infra.local.stack import Stack
from loadtests.posts import posts
from loadtests.waiting import NotInTime, until
from services.cli.keys import create_key

GOAL_MS = 15
TEXTS = 2_000
NOWHERE = Path("/nonexistent")  # so that posts are generated even where real ones are
ANSWER_SECONDS = 30.0
WARM = 5  # windows that do not count: the broker compiles what it runs often


class Connections:
    """Connections that stay open, taken by one request at a time; another is made where none is free."""

    def __init__(self, host: str, port: int, key: str) -> None:
        self._where = host, port
        self._head = (
            f"POST /v1/moderate HTTP/1.1\r\nHost: {host}:{port}\r\nAuthorization: Bearer {key}\r\n"
            "Content-Type: application/json\r\nContent-Length: "
        ).encode()
        self._free: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def ask(self, body: bytes) -> tuple[int, bytes]:
        """Status and body of the answer."""
        reader, writer = self._free.pop() if self._free else await asyncio.open_connection(*self._where)
        writer.write(self._head + b"%d\r\n\r\n" % len(body) + body)
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            int(line.partition(b":")[2])
            for line in head.lower().split(b"\r\n")
            if line.startswith(b"content-length:")
        )
        answer = await reader.readexactly(length)
        self._free.append((reader, writer))
        return int(head[9:12]), answer


async def window(
    connections: Connections, bodies: list[bytes], rate: float
) -> tuple[list[float], dict[str, int]]:
    """Seconds from when each request was due to its answer, and how often each decision was given."""
    times: list[float] = []
    given: dict[str, int] = {}
    started = time.perf_counter() + 0.05

    async def one(due: float, body: bytes) -> None:
        status, answer = await asyncio.wait_for(connections.ask(body), ANSWER_SECONDS)
        times.append(time.perf_counter() - due)
        what = msgspec.json.decode(answer)["decision"] if status == 200 else f"status {status}"
        given[what] = given.get(what, 0) + 1

    tasks = []
    for number, body in enumerate(bodies):
        due = started + number / rate
        if (ahead := due - time.perf_counter()) > 0:
            await asyncio.sleep(ahead)
        tasks.append(asyncio.create_task(one(due, body)))
    await asyncio.gather(*tasks)
    return times, given


async def measure(port: int, key: str, rate: float, seconds: float, windows: int) -> list[list[float]]:
    """The times of each window; what was answered is printed. Raises NotInTime where an answer was no verdict."""
    texts = [post.text for post in posts(TEXTS, 1, data=NOWHERE)]
    connections = Connections("127.0.0.1", port, key)
    found, at = [], 0
    for number in range(windows + WARM):
        bodies = [
            msgspec.json.encode(
                {"item_id": f"bench-{at + i}", "item": {"kind": "post", "text": texts[(at + i) % TEXTS]}}
            )
            for i in range(int(rate * seconds))
        ]
        at += len(bodies)
        gc.collect()
        gc.disable()  # the client's own pauses are not the server's
        times, given = await window(connections, bodies, rate)
        gc.enable()
        p50, p99 = np.percentile(times, (50, 99)) * 1000
        print(f"# window {number}: {given}, p50 {p50:.2f} ms, p99 {p99:.2f} ms", file=sys.stderr)
        if number < WARM:
            continue
        if wrong := [what for what in given if what.startswith("status")]:
            raise NotInTime(f"answers without a verdict: {', '.join(wrong)}")
        found.append(times)
    return found


@click.command()
@click.option("--rate", default=200.0, show_default=True, help="Requests a second")
@click.option("--seconds", default=10.0, show_default=True, help="How long a window is")
@click.option("--windows", default=7, show_default=True, help="How many windows, after those that warm up")
def main(rate: float, seconds: float, windows: int) -> None:
    """Measure, and print `name value unit goal`."""
    with tempfile.TemporaryDirectory() as var:
        settings = on_free_ports(Path(var))
        chosen = [each for each in PROCESSES if each.name in ("ingest", "classifier", "router")]
        stack = Stack(settings, chosen)
        try:
            stack.up()
            key = create_key(settings, "demo", 10_000_000, name="bench")
            pids = {each.name: stack.pid(each.name) for each in chosen}
            until("a verdict", lambda: _answers(settings.ingest_url, key), 60)
            before = {name: _cpu(pid) for name, pid in pids.items()}
            found = asyncio.run(measure(settings.ingest_port, key, rate, seconds, windows))
            acknowledged = _acknowledged_ms(settings.ingest_url)
            used = {name: _cpu(pid) - before[name] for name, pid in pids.items()}
        except (StackError, NotInTime) as error:
            raise click.ClickException(str(error)) from error
        finally:
            stack.down()
    for share, goal in ((50, "-"), (99, f"<={GOAL_MS}")):
        value = statistics.median(float(np.percentile(times, share)) * 1000 for times in found)
        print(f"moderate_p{share}_ms {value:.2f} ms {goal}")
    print(f"moderate_kafka_ms {acknowledged:.2f} ms -")  # of it, the mean wait for Kafka's acknowledgement
    requests = int(rate * seconds) * (windows + WARM)
    for name, cpu in used.items():
        print(f"moderate_cpu_{name}_ms {1000 * cpu / requests:.3f} ms/request -")


def _answers(url: str, key: str) -> bool:
    """Whether model and policy are live in ingest."""
    body = {"item_id": "first", "item": {"kind": "post", "text": "hello"}}
    answer = httpx.post(
        f"{url}/v1/moderate", json=body, headers={"Authorization": f"Bearer {key}"}, timeout=30
    )
    return answer.status_code == 200


def _acknowledged_ms(url: str) -> float:
    """How long Kafka took to acknowledge, on average."""
    lines = dict(
        line.rsplit(" ", 1)
        for line in httpx.get(f"{url}/metrics", timeout=30).text.splitlines()
        if line.startswith("sluicegate_ingest_ack_seconds_")
    )
    total, count = (float(lines[f"sluicegate_ingest_ack_seconds_{name}"]) for name in ("sum", "count"))
    return 1000 * total / count


def _cpu(pid: int) -> float:
    """CPU seconds that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


if __name__ == "__main__":
    main()
