"""Readers of whole topics whose client stalls: another goes on from where it was, and a few in vain are an error."""

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
from confluent_kafka import Consumer, TopicPartition

from services.runtime import reading, stalls
from services.runtime.errors import Stalled
from services.runtime.kafka import admin
from services.runtime.positions import Partition
from services.runtime.reading import RENEWALS, WholeTopics, whole_topics
from services.runtime.settings import Settings
from tests.integration.runtime.conftest import Bench, wait_for


class Clients:
    """Consumers of which the first few get nothing from some moment on, whatever the broker has: they are paused.

    Only those are looked at many times a second, so that one that is slow to begin is not taken for one of them.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.made: list[Consumer] = []
        self.stalling = 0  # how many are to get nothing, from the first on
        self.of: int | None = None  # of this partition alone, where one is named
        self.making: Callable[[], object] = lambda: None  # done before each is made
        self._make, self._patch = reading.lone_consumer, monkeypatch
        monkeypatch.setattr(reading, "lone_consumer", self)

    def __call__(self, settings: Settings, name: str) -> Any:
        self.making()
        self.made.append(self._make(settings, name))
        self._patch.setattr(stalls, "EVERY", 0.02 if len(self.made) <= self.stalling else 3.0)
        return self

    def pause(self) -> None:
        """The newest gets nothing from now on."""
        consumer = self.made[-1]
        consumer.pause([tp for tp in consumer.assignment() if self.of in (None, tp.partition)])
        self._patch.setattr(stalls, "EVERY", 0.02)

    def assign(self, partitions: list[TopicPartition]) -> None:
        self.made[-1].assign(partitions)
        if len(self.made) <= self.stalling:
            self.pause()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.made[-1], name)


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> Clients:
    return Clients(monkeypatch)


@pytest.fixture
def reader(bench: Bench, clients: Clients) -> Iterator[WholeTopics]:
    bench.send(b"1", b"2", b"3", topic=bench.out, partition=0)
    bench.send(b"4", topic=bench.out, partition=1)
    with closing(whole_topics(bench.settings(), "t", [bench.out])) as reader:
        yield reader


def values(reader: WholeTopics) -> list[bytes]:
    return sorted(record.value or b"" for record in reader.to_end())


def test_a_client_that_gets_nothing_from_the_start_is_replaced(bench: Bench, clients: Clients) -> None:
    clients.stalling = 2
    bench.send(b"1", b"2", topic=bench.out, partition=0)
    with closing(whole_topics(bench.settings(), "t", [bench.out])) as reader:
        assert values(reader) == [b"1", b"2"]
    assert len(clients.made) == 3


def test_another_goes_on_from_where_it_was(bench: Bench, clients: Clients, reader: WholeTopics) -> None:
    assert values(reader) == [b"1", b"2", b"3", b"4"]
    clients.pause()
    bench.send(b"5", b"6", topic=bench.out, partition=0)
    assert values(reader) == [b"5", b"6"], "each record once"
    assert len(clients.made) == 2
    clients.stalling = 3  # the next one too, before it had anything: what the first one had counts
    clients.pause()
    bench.send(b"7", topic=bench.out, partition=1)
    assert values(reader) == [b"7"]
    assert len(clients.made) == 4


def test_one_that_follows_goes_on_too(bench: Bench, clients: Clients, reader: WholeTopics) -> None:
    assert len(values(reader)) == 4
    clients.pause()
    bench.send(b"5", topic=bench.out, partition=1)
    came: list[bytes | None] = []

    def follow() -> bool:
        came.extend(record.value for record in reader.poll(0.05))
        return bool(came)

    wait_for("what came while it stalled", follow)
    assert came == [b"5"]


def test_where_no_client_gets_anything_it_is_said(bench: Bench, clients: Clients) -> None:
    clients.stalling = 99
    bench.send(b"1", topic=bench.out, partition=0)
    reader = whole_topics(bench.settings(), "t", [bench.out])
    with closing(reader), pytest.raises(Stalled, match="has records up to 1"):
        values(reader)
    assert len(clients.made) == 1 + RENEWALS


def test_what_comes_of_another_partition_does_not_make_up_for_it(bench: Bench, clients: Clients) -> None:
    clients.stalling, clients.of = 99, 0
    bench.send(b"1", topic=bench.out, partition=0)
    clients.making = lambda: bench.send(b"2", topic=bench.out, partition=1)
    came: list[bytes] = []
    reader = whole_topics(bench.settings(), "t", [bench.out])
    with closing(reader), pytest.raises(Stalled, match=r"\[0\] has records up to 1"):
        came.extend(record.value or b"" for record in reader.to_end())
    assert len(clients.made) == 1 + RENEWALS


def test_what_was_long_ago_counts_no_more(
    bench: Bench, clients: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "LASTED", -1)
    clients.stalling = RENEWALS + 2
    bench.send(b"1", topic=bench.out, partition=0)
    with closing(whole_topics(bench.settings(), "t", [bench.out])) as reader:
        assert values(reader) == [b"1"]
    assert len(clients.made) == RENEWALS + 3


def test_stalls_with_something_between_them_are_no_sign_of_that(
    bench: Bench, clients: Clients, reader: WholeTopics
) -> None:
    values(reader)
    for number in range(RENEWALS + 2):
        clients.pause()
        bench.send(b"%d" % number, topic=bench.out, partition=0)
        assert values(reader) == [b"%d" % number]


def test_one_that_asks_for_the_ends_in_vain_is_replaced_too(
    bench: Bench, clients: Clients, reader: WholeTopics, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask, asked = reading.uncommitted_ends, []

    def ends(client: object, *more: Any, **named: Any) -> dict[Partition, int]:
        asked.append(client)
        if len(asked) == 1:
            raise Stalled("leaders stay out of date")
        return ask(client, *more, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(reading, "uncommitted_ends", ends)
    assert values(reader) == [b"1", b"2", b"3", b"4"]
    assert asked[0] is not asked[1]


def test_whoever_is_to_stop_does_not_ask_on(
    bench: Bench, reader: WholeTopics, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def ends(*_: Any, **__: Any) -> dict[Partition, int]:
        asked.append(1)
        raise Stalled("leaders stay out of date")

    monkeypatch.setattr(reading, "uncommitted_ends", ends)
    assert list(reader.to_end(lambda: bool(asked))) == []
    assert len(asked) == 1


def test_the_client_that_is_given_is_asked(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr(reading, "uncommitted_ends", lambda client, *_, **__: asked.append(client) or {})
    given = admin(bench.settings())
    with closing(whole_topics(bench.settings(), "t", [bench.out], given)) as reader:
        assert values(reader) == []
    assert asked == [given]


def test_it_begins_where_it_is_told_and_ends_there(bench: Bench) -> None:
    bench.send(b"1", b"2", b"3", b"4", topic=bench.out, partition=0)
    one = (bench.out, 0)
    with closing(WholeTopics(bench.settings(), "t", [one], admin(bench.settings()), {one: 1})) as reader:
        found = [record.value for record in reader.up_to({one: 3}) if record.offset < 3]
    assert found == [b"2", b"3"]
