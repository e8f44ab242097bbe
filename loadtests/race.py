"""Contenders for the same work: each on one core, the broker on another, one after the other, lap by lap.

What a contender pays for its start is not counted: a lap is timed by Kafka, from the append of its first record to that
of its last.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil
from confluent_kafka import Consumer, TopicPartition

from infra.topics import KafkaTopic, apply
from loadtests.waiting import NotInTime
from services.runtime.kafka import admin
from services.runtime.settings import Settings

PARTITIONS = 4
APPEND = {"message.timestamp.type": "LogAppendTime"}


class TooFewCores(Exception):
    """This process may use one core only, and a race needs two."""


@dataclass(frozen=True)
class Cores:
    """Where the broker, and all else that is not measured, runs; and where the contenders do."""

    broker: int
    contender: int


def rate_since(start: int, stamps: Sequence[int]) -> float:
    """Records a second from `start` to the last of the stamps, which are in ms and in order."""
    return len(stamps) * 1000 / max(1, stamps[-1] - start)


def middle_rate(stamps: Sequence[int]) -> float:
    """Records a second over the middle eight tenths: free of what start, end and the size of batches do."""
    tenth = len(stamps) // 10
    first, last = stamps[tenth], stamps[-1 - tenth]
    return (len(stamps) - 2 * tenth) * 1000 / max(1, last - first)


def two_cores() -> Cores:
    """The first two cores that this process may use. Raises TooFewCores."""
    allowed = sorted(os.sched_getaffinity(0))
    if len(allowed) < 2:
        raise TooFewCores(f"this process may use core {allowed[0]} only: a race needs two, see taskset(1)")
    return Cores(allowed[0], allowed[1])


@contextmanager
def on_core(core: int) -> Iterator[None]:
    """This process, and every process that it starts inside, runs on `core`."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextmanager
def running(
    command: Sequence[str], environment: Mapping[str, str], core: int, log: Path
) -> Iterator[psutil.Popen]:
    """A process on `core` whose output goes to `log`; told to stop at the end, and waited for."""
    with log.open("ab") as out, on_core(core):
        process = psutil.Popen(
            command, env={**os.environ, **environment}, stdout=out, stderr=subprocess.STDOUT, cwd=Path.cwd()
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        try:
            process.wait(30)
        except psutil.TimeoutExpired:
            process.kill()
            process.wait(30)


def make_topics(settings: Settings, *names: str) -> None:
    """Topics whose records Kafka stamps."""
    apply(admin(settings), [KafkaTopic(name, PARTITIONS, APPEND) for name in names])


class Finish:
    """The end of a topic from now on: what is appended and committed there is read, and its stamps kept.

    Use it in a `with`.
    """

    def __init__(self, kafka: str, topic: str) -> None:
        self._topic = topic
        self._stamps: list[int] = []
        self._consumer = Consumer(
            {
                "bootstrap.servers": kafka,
                "group.id": "race",
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
            }
        )
        found = self._consumer.list_topics(topic, 30).topics[topic].partitions
        where = [TopicPartition(topic, number) for number in found]
        for partition in where:
            _, partition.offset = self._consumer.get_watermark_offsets(partition, timeout=30)
        self._consumer.assign(where)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._consumer.close()

    def wait(self, count: int, contenders: Sequence[Any], seconds: float, log: Path) -> list[int]:
        """The stamps, in order, once there are `count` of them. Raises NotInTime, also where a contender has ended."""
        deadline = time.monotonic() + seconds
        while len(self._stamps) < count:
            got = self._consumer.consume(10_000, 0.5)
            self._stamps += [message.timestamp()[1] for message in got if message.error() is None]
            if any(process.poll() is not None for process in contenders):
                raise NotInTime(f"a contender ended before its work did; its last words: {_tail(log)}")
            if time.monotonic() > deadline:
                raise NotInTime(
                    f"waited {seconds:.0f} s for {count} records on {self._topic}, {len(self._stamps)} came; see {log}"
                )
        return sorted(self._stamps)


def cpu_seconds(contenders: Sequence[Any]) -> float:
    """CPU that the processes have used so far, user and system."""
    times = [process.cpu_times() for process in contenders]
    return float(sum(each.user + each.system for each in times))


def laps(count: int, say: Callable[[str], None], *contenders: Callable[[int], float]) -> list[list[float]]:
    """`count` laps of each contender, taking turns; what each made of them."""
    made: list[list[float]] = [[] for _ in contenders]
    for lap in range(count):
        for results, contender in zip(made, contenders, strict=True):
            results.append(contender(lap))
        say(f"lap {lap + 1} of {count}: " + ", ".join(f"{results[-1]:.0f}/s" for results in made))
    return made


def _tail(log: Path) -> str:
    return " | ".join(log.read_text(errors="replace").splitlines()[-5:]) if log.exists() else "none"
