"""`python -m loadtests.hose`: a platform that publishes posts at a steady rate, or as fast as it can.

Item n has the id `PREFIX-n`. Its text is one of a few thousand posts with a number of its own behind it, so that no two
are copies of each other, but for one in twenty that repeats the text of a recent item. A process of its own, and cheap:
what it costs comes out of the machine that it measures.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import click
import msgspec
from confluent_kafka import KafkaError, Message, Producer

from loadtests.posts import posts
from services.events.instants import from_millis
from services.runtime.clock import now_ms
from services.runtime.kafka import PRODUCER

TEXTS = 5_000  # different wordings
AUTHORS = 20_000
REPEATED = 20  # one item in so many has the text of the item REPEATED * 50 before it
NOWHERE = Path("/nonexistent")  # posts are generated even where real ones are, so that figures compare
SLICE_SECONDS = 0.01
TOPIC = "content.submitted.demo"


class NotTaken(Exception):
    """Kafka refused an item, or did not take it in time."""


class Hose:
    """The records of a platform, by number."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._texts = [
            msgspec.json.encode(post.text)[1:-1].decode() for post in posts(TEXTS, 1, data=NOWHERE)
        ]

    def text(self, number: int) -> str:
        """The text of item `number`, as JSON without its quotes."""
        if number % REPEATED == 0 and number >= REPEATED * 50:
            number -= REPEATED * 50 - 1
        return f"{self._texts[number % TEXTS]} {number:x}"

    def texts(self, count: int) -> list[str]:
        """The texts of the first `count` items, as people write them."""
        return [msgspec.json.decode(f'"{self.text(number)}"'.encode(), type=str) for number in range(count)]

    def record(self, number: int, occurred_at: str) -> tuple[str, str]:
        """Key and value of item `number`: content_submitted.v1."""
        item_id = f"{self._prefix}-{number}"
        return f"demo/{item_id}", (
            f'{{"schema":"content_submitted.v1","event_id":"{number:032x}","occurred_at":"{occurred_at}",'
            f'"source":"demo","item_id":"{item_id}","revision":1,"item":{{"kind":"post",'
            f'"text":"{self.text(number)}","author":{{"id":"user-{number * 7919 % AUTHORS}"}}}}}}'
        )


def paced(rate: float, seconds: float, count: int) -> Iterator[int]:
    """How many are due, slice by slice, until `seconds` have passed or `count` are out; rate 0: all at once."""
    started, out = time.monotonic(), 0
    while out < count:
        passed = time.monotonic() - started
        if passed > seconds:
            return
        due = min(count, int(rate * passed)) - out if rate else min(10_000, count - out)
        if due > 0:
            yield due
            out += due
        if rate:
            time.sleep(SLICE_SECONDS)


def publish(
    kafka: str, prefix: str, rate: float, seconds: float, count: int, first: int = 0, topic: str = TOPIC
) -> int:
    """Publish items from number `first` on; returns how many Kafka has acknowledged. Raises NotTaken."""
    hose, number, failures = Hose(prefix), first, list[KafkaError]()

    def answered(error: KafkaError | None, _: Message) -> None:
        if error is not None:
            failures.append(error)

    producer = Producer(
        PRODUCER
        | {
            "bootstrap.servers": kafka,
            "linger.ms": 20,
            "batch.size": 1_000_000,
            "delivery.report.only.error": True,  # what `flush` waits for and no report names, Kafka has
            "on_delivery": answered,
        }
    )

    for due in paced(rate, seconds, count):
        occurred_at = from_millis(now_ms())
        for at in range(number, number + due):
            key, value = hose.record(at, occurred_at)
            while True:
                try:
                    producer.produce(topic, value, key)
                    break
                except BufferError:
                    producer.poll(0.05)
        number += due
        producer.poll(0)
    if producer.flush(60) or failures:
        raise NotTaken(f"Kafka did not take all items: {failures[:1]}")
    return number - first


@click.command()
@click.option("--kafka", required=True, help="Bootstrap servers")
@click.option("--prefix", default="hose", show_default=True, help="Of the ids")
@click.option("--rate", default=0.0, help="Items a second; 0: as fast as it can")
@click.option("--seconds", default=3600.0, help="How long")
@click.option("--count", default=sys.maxsize, help="How many at the most")
def main(kafka: str, prefix: str, rate: float, seconds: float, count: int) -> None:
    """Publish, and print how many items Kafka has acknowledged."""
    click.echo(publish(kafka, prefix, rate, seconds, count))


if __name__ == "__main__":
    main()
