"""A consumer that gets nothing though there is something is noticed; one that is slow, done or cut off is not."""

from __future__ import annotations

import pytest
from confluent_kafka import KafkaError, KafkaException

from services.runtime import stalls
from services.runtime.errors import Stalled
from services.runtime.positions import Partition
from services.runtime.stalls import EVERY, LOOKS, StallWatch

HERE: Partition = ("content.submitted.demo", 2)


class Bench:
    """A watch on a consumer whose position, and a broker whose end, a test sets."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        self.position, self.end = 0, 0
        self.away = self.outdated = False
        monkeypatch.setattr(stalls, "stable_ends", self.ends)
        self.watch = StallWatch(self, None, lambda: self.now)  # type: ignore[arg-type]

    def ends(self, admin: object, partitions: list[Partition], timeout: float) -> dict[Partition, int]:
        if self.away:
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
        if self.outdated:
            raise Stalled("leaders stay out of date")
        return dict.fromkeys(partitions, self.end)

    def behind(self, ends: dict[Partition, int]) -> dict[Partition, int]:
        return {p: self.position for p, end in ends.items() if self.position < end}

    def look(self) -> None:
        self.now += EVERY
        self.watch.check([HERE])


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    return Bench(monkeypatch)


def test_records_that_never_come_end_the_worker(bench: Bench) -> None:
    bench.position, bench.end = 5, 9
    for _ in range(LOOKS):
        bench.look()
    with pytest.raises(
        Stalled, match=r"content.submitted.demo \[2\] has records up to 9 and none came since 5"
    ):
        bench.look()


def test_a_slow_consumer_does_not(bench: Bench) -> None:
    bench.end = 1000
    for bench.position in range(3 * LOOKS):
        bench.look()


def test_one_that_has_read_everything_does_not(bench: Bench) -> None:
    bench.position = bench.end = 7
    for _ in range(3 * LOOKS):
        bench.look()


def test_a_broker_that_is_away_is_no_stall_and_the_count_begins_anew(bench: Bench) -> None:
    bench.position, bench.end = 5, 9
    for _ in range(LOOKS):
        bench.look()
    bench.away = True
    bench.look()
    bench.away = False
    for _ in range(LOOKS):
        bench.look()
    with pytest.raises(Stalled):
        bench.look()


def test_looks_between_two_due_ones_count_for_nothing(bench: Bench) -> None:
    bench.position, bench.end = 5, 9
    for _ in range(10 * LOOKS):
        bench.watch.check([HERE])


def test_a_watch_that_lost_the_leaders_itself_ends_the_worker(bench: Bench) -> None:
    bench.outdated = True
    for _ in range(LOOKS):
        bench.look()
    with pytest.raises(Stalled, match="leaders"):
        bench.look()


def test_one_that_finds_them_again_does_not(bench: Bench) -> None:
    for _ in range(3):
        bench.outdated = True
        for _ in range(LOOKS):
            bench.look()
        bench.outdated = False
        bench.look()
