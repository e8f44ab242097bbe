"""`python -m loadtests.bench.clusters`: tasks a second that get their cluster of near copies: one thread, no Kafka,
from the bytes of a request to those of its event, beside 10,000 clusters; and what one of these takes in memory.
"""

from __future__ import annotations

import random
import statistics
import time
import tracemalloc

import msgspec

from services.clusters.core import Cluster
from services.clusters.settings import ClustersSettings
from services.clusters.stage import ClustersStage
from services.events.ids import item_key, task_id
from services.events.topics import load_topics
from services.events.types import ReviewClustered
from services.runtime.publishing import Publisher
from services.runtime.records import Record
from services.runtime.states import Shard, States

KEPT, TASKS, BATCH, ROUNDS = 10_000, 5_000, 500, 3
CHARACTERS = 160  # of a text, about
COPIES = 0.3  # share of tasks whose text is an edit of an earlier one
NOW = 1_770_000_000_000


def requests(count: int, first: int, chance: random.Random) -> list[Record]:
    """Requests as Kafka has them, on one partition."""
    words = [
        "".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=chance.randint(2, 9))) for _ in range(5_000)
    ]
    texts: list[list[str]] = []
    made = []
    for number in range(first, first + count):
        if texts and chance.random() < COPIES:
            text = list(chance.choice(texts))
            text[chance.randrange(len(text))] = chance.choice(words)
        else:
            text = chance.choices(words, k=CHARACTERS * 2 // 13)
            texts.append(text)
        made.append(_record(f"post-{number}", " ".join(text), number))
    return made


def _record(item_id: str, text: str, offset: int) -> Record:
    value = {
        "schema": "review_requested.v1",
        "event_id": f"{offset:032x}",
        "occurred_at": "2026-01-31T12:00:00.000Z",
        "task_id": task_id("demo", item_id, 1, 1),
        "source": "demo",
        "item_id": item_id,
        "revision": 1,
        "decision_seq": 1,
        "purpose": "decision",
        "queue": "general",
        "item": {"kind": "post", "text": text},
        "scores": [{"category": "spam", "probability": 0.5}],
        "selection": {"reason": "uncertain", "probability": 1.0},
        "severity": 1.0,
        "deadline": "2026-01-31T13:00:00.000Z",
        "expires_at": "2026-02-05T12:00:00.000Z",
        "votes_wanted": 1,
        "lease_seconds": 300,
    }
    key, topic = item_key("demo", item_id).encode(), "review.requested"
    return Record(f"{topic}.general", topic, 0, offset, key, msgspec.json.encode(value), NOW)


def work(stage: ClustersStage, states: States[Cluster], records: list[Record]) -> float:
    """Handle them in batches, as the loop would; CPU seconds."""
    started = time.process_time()
    for at in range(0, len(records), BATCH):
        for effect in stage.handle(records[at : at + BATCH], states, NOW):
            assert effect is not None
        for _, _, state in states.staged():
            assert state is None or stage.encode_state(state)
        states.apply()
        stage.committed(())
    return time.process_time() - started


def main() -> None:
    """Measure, and print `name value unit goal`."""
    chance = random.Random(1)
    stage = ClustersStage(ClustersSettings(), Publisher("clusters", load_topics(), derived=[ReviewClustered]))
    states: States[Cluster] = States()
    states.shards[0] = Shard()
    kept = [request for request in requests(KEPT * 3 // 2, 0, chance)]
    tracemalloc.start()
    work(stage, states, kept)
    size = tracemalloc.get_traced_memory()[0] / states.open_keys()
    tracemalloc.stop()
    rates = []
    for number in range(ROUNDS):
        records = requests(TASKS, 10**6 * (number + 1), chance)
        rates.append(TASKS / work(stage, states, records))
    print(f"cluster_items_per_s {statistics.median(rates):.0f} items/s -")
    print(f"cluster_bytes {size:.0f} bytes -")


if __name__ == "__main__":
    main()
