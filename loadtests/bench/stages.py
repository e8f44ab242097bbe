"""`python -m loadtests.bench.stages`: what an item costs, on this machine.

Lines of `name value unit goal`; a dash: no goal is set yet.
Posts are generated, so that figures compare between machines; every stage runs as it does in the stack.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import click

import infra
from infra.local.bootstrap import STEPS, Step
from infra.local.errors import StackError
from infra.local.ports import free_ports
from infra.local.processes import PROCESSES
from infra.local.settings import StackSettings
from infra.local.stack import Stack
from loadtests.posts import posts
from loadtests.scan import scan
from loadtests.waiting import NotInTime, until
from services.events.ids import item_key
from services.events.topics import load_topics
from services.events.types import ContentSubmitted, Item
from services.runtime.kafka import plain_producer
from services.runtime.publishing import Publisher
from services.runtime.settings import Settings
from services.scoring import bundle

TEXTS = 5_000  # different ones; ids make the items different
NOWHERE = Path("/nonexistent")  # so that posts are generated even where real ones are


def classify(rounds: int = 4) -> float:
    """Items a second that one thread scores, in batches of 1,000."""
    texts = [post.text for post in posts(TEXTS, 1, data=NOWHERE)]
    classifier = bundle.load(Path(infra.__file__).parent / "starter").classifier
    classifier.classify(texts[:1000])
    started = time.perf_counter()
    for _ in range(rounds):
        for at in range(0, TEXTS, 1000):
            classifier.classify(texts[at : at + 1000])
    return rounds * TEXTS / (time.perf_counter() - started)


def classify_and_route(items: int, var: Path) -> dict[str, float]:
    """Items a second through classifier and router on a real broker, one worker each, from a full topic: between
    the first record on content.classified and the last outcome; and the parts of that which each stage took alone.
    """
    kafka, controller, redis, classifier, router = free_ports(5)
    settings = StackSettings(
        kafka=f"127.0.0.1:{kafka}",
        kafka_controller_port=controller,
        redis_url=f"redis://127.0.0.1:{redis}/0",
        classifier_metrics_port=classifier,
        router_metrics_port=router,
        var=var,
    )
    chosen = [process for process in PROCESSES if process.name in ("classifier", "router")]
    stack = Stack(settings, chosen, [*STEPS, Step("fill", _filling(items))])
    try:
        stack.up()

        def outcomes() -> int:
            return sum(
                seen.topic.startswith("review.requested") or b'"final":true' in (seen.value or b"")
                for seen in scan(settings.kafka, ["content.decided", "review.requested"])
            )

        last = 0

        def done() -> bool:
            nonlocal last
            last = outcomes()
            return last >= items

        until(f"{items} outcomes", done, 300, lambda: last, every=1)
        classified = [seen.timestamp for seen in scan(settings.kafka, ["content.classified"])]
        decided = [seen.timestamp for seen in scan(settings.kafka, ["content.decided"])]
    finally:
        stack.down()
    first = min(classified)
    return {
        "classify_and_route": items / (max(decided) - first) * 1000,
        "classifier": items / (max(classified) - first) * 1000,
    }


def _filling(items: int) -> Callable[[Settings, Callable[[str], None]], None]:
    def fill(settings: Settings, say: Callable[[str], None]) -> None:
        texts = [post.text for post in posts(TEXTS, 1, data=NOWHERE)]
        publisher, producer = Publisher("demo", load_topics()), plain_producer(settings)
        for number in range(items):
            item = Item(kind="post", text=texts[number % TEXTS])
            event = ContentSubmitted(source="demo", item_id=f"bench-{number}", revision=1, item=item)
            out = publisher.outgoing(event, item_key("demo", event.item_id))
            while True:
                try:
                    producer.produce(out.topic, out.value, out.key)
                    break
                except BufferError:
                    producer.poll(0.1)
        if producer.flush(120):
            raise NotInTime(f"Kafka did not take {items} items in time")

    return fill


@click.command()
@click.option("--items", default=100_000, show_default=True, help="Items through the stages.")
def main(items: int) -> None:
    """Measure, and print `name value unit goal`."""
    click.echo(f"classify_one_thread {classify():.0f} items/s 50000")
    with tempfile.TemporaryDirectory() as var:
        try:
            for name, value in classify_and_route(items, Path(var)).items():
                click.echo(f"{name} {value:.0f} items/s -")
        except (StackError, NotInTime) as error:
            raise click.ClickException(str(error)) from error


if __name__ == "__main__":
    main()
