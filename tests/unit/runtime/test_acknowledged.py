"""Sends outside the loop: every future gets an answer, whatever becomes of who waits or of the client."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from services.runtime import acknowledged
from services.runtime.acknowledged import AcknowledgedProducer, NotAcknowledged
from services.runtime.records import Outgoing
from services.runtime.settings import Settings

OUT = Outgoing("t", "t", b"k", b"v")
FATAL = KafkaError(KafkaError._FATAL, "broken for good", fatal=True)
Delivered = Callable[[KafkaError | None, Any], None]


class FakeProducer:
    """Answers when polled, once `answers` is set; `broken` makes it refuse records."""

    made: list["FakeProducer"]

    def __init__(self, _: object) -> None:
        self.made.append(self)
        self.pending: list[Delivered] = []
        self.answers, self.broken, self.purged = False, False, False

    def produce(self, *_: object, on_delivery: Delivered, **__: object) -> None:
        if self.broken:
            raise KafkaException(FATAL)
        self.pending.append(on_delivery)

    def poll(self, _: float) -> None:
        while self.pending and (self.answers or self.broken or self.purged):
            self.pending.pop(0)(FATAL if self.broken or self.purged else None, None)

    def flush(self, _: float) -> None:
        self.poll(0)

    def purge(self) -> None:
        self.purged = True

    def __len__(self) -> int:
        return len(self.pending)


@pytest.fixture
def fakes(monkeypatch: pytest.MonkeyPatch) -> list[FakeProducer]:
    FakeProducer.made = []
    monkeypatch.setattr(acknowledged, "Producer", FakeProducer)
    return FakeProducer.made


@pytest.fixture
def producer(fakes: list[FakeProducer]) -> Iterator[AcknowledgedProducer]:
    made = AcknowledgedProducer(Settings())
    yield made
    made.close()


def test_who_no_longer_waits_does_not_end_the_deliveries(
    producer: AcknowledgedProducer, fakes: list[FakeProducer]
) -> None:
    """A client that hangs up cancels its wait; the delivery that comes after must not end the polling thread."""
    producer.send(OUT).cancel()
    fakes[0].answers = True
    producer.send(OUT).result(5)


def test_a_broken_client_is_replaced_once_and_still_answers(
    producer: AcknowledgedProducer, fakes: list[FakeProducer]
) -> None:
    in_flight = producer.send(OUT)
    fakes[0].broken = True
    with pytest.raises(NotAcknowledged):
        producer.send(OUT).result(5)
    producer._replace_if_broken(fakes[0], KafkaException(FATAL))  # type: ignore[arg-type]  # a second thread
    assert len(fakes) == 2
    with pytest.raises(NotAcknowledged):
        in_flight.result(5)
    fakes[1].answers = True
    producer.send(OUT).result(5)


def test_closing_answers_what_kafka_did_not(fakes: list[FakeProducer]) -> None:
    producer = AcknowledgedProducer(Settings())
    waiting = producer.send(OUT)
    producer.close(0.1)
    with pytest.raises(NotAcknowledged):
        waiting.result(0)
    with pytest.raises(NotAcknowledged, match="closed"):
        producer.send(OUT).result(0)
