"""`python -m loadtests.bench.overhead`: what the classifier costs beside classifying.

CPU of the classifier process an item, Kafka to Kafka, less that of the same classify function on the same texts in
memory, in batches as large as the loop's at the most; the median of the rounds. What a process pays for its start is
in neither. Lines of `name value unit goal`.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import click

from infra.local.bootstrap import STARTER
from infra.local.errors import StackError
from loadtests.ground import Ground
from loadtests.hose import Hose, NotTaken, publish
from loadtests.race import Finish
from loadtests.waiting import NotInTime
from services.runtime.settings import LoopSettings
from services.scoring import bundle
from services.scoring.scores import Classifier

GOAL = 10
ROUND_SECONDS = 120


def through_kafka(ground: Ground, prefix: str, items: int, rate: float) -> float:
    """CPU of the classifier process, in µs an item, from the first item published to the last one scored."""
    log = ground.settings.var / "logs" / "classifier.log"
    with Finish(ground.settings.kafka, "content.classified") as finish:
        before = ground.cpu_seconds()["classifier"]
        publish(ground.settings.kafka, prefix, rate, ROUND_SECONDS, items)
        finish.wait(items, [], ROUND_SECONDS, log)
    return (ground.cpu_seconds()["classifier"] - before) / items * 1e6


def in_memory(classifier: Classifier, texts: list[str], batch: int) -> float:
    """CPU of this process, in µs an item, for the same texts."""
    before = time.process_time()
    for at in range(0, len(texts), batch):
        classifier.classify(texts[at : at + batch])
    return (time.process_time() - before) / len(texts) * 1e6


@click.command()
@click.option("--items", default=40_000, show_default=True, help="Items a round")
@click.option("--rounds", default=5, show_default=True, help="Rounds, after one that warms up")
@click.option("--rate", default=0.0, show_default=True, help="Items a second; 0: all at once, a backlog")
def main(items: int, rounds: int, rate: float) -> None:
    """Measure, and print `name value unit goal`."""
    batch, classifier = LoopSettings().batch_records, bundle.load(STARTER).classifier
    process, memory = [], []
    with tempfile.TemporaryDirectory() as var:
        try:
            with Ground(Path(var), ("classifier",), say=_say) as ground:
                for lap in range(rounds + 1):
                    prefix = f"round{lap}"
                    process.append(through_kafka(ground, prefix, items, rate))
                    memory.append(in_memory(classifier, Hose(prefix).texts(items), batch))
                    _say(
                        f"round {lap} of {rounds}: process {process[-1]:.1f}, memory {memory[-1]:.1f} µs an item"
                    )
        except (StackError, NotInTime, NotTaken) as error:
            raise click.ClickException(str(error)) from error
    over = [whole - part for whole, part in zip(process[1:], memory[1:], strict=True)]
    print(f"classifier_overhead_us {median(over):.1f} us/item <={GOAL}")
    print(f"classifier_process_us {median(process[1:]):.1f} us/item -")
    print(f"classify_in_memory_us {median(memory[1:]):.1f} us/item -")


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
