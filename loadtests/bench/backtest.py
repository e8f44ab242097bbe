"""`python -m loadtests.bench.backtest`: recorded items a second that a backtest puts through a policy, on one core.

From the bytes that Kafka keeps: decode, join, decide, count caps, compare. The candidate has rules with counters and
caps; the history has everything that an outcome can rest on (loadtests.history). Waiting for a broker is not in it.
"""

from __future__ import annotations

import statistics
import time

from loadtests.history import TOPICS, History, document
from services.policy import recorded
from services.policy.backtest import Backtest, Trial
from services.policy.comparison import Comparison
from services.policy.parse import parse
from services.policy.recorded import Inherited, Shard, joined

ITEMS, ROUNDS, GOAL = 30_000, 5, 30_000


def compared(history: History, candidate: Trial) -> Comparison:
    """What the candidate would change."""
    backtest, comparison = Backtest(candidate, len(history.shards), True), Comparison()
    for number, of in enumerate(history.shards):
        shard = Shard(number)
        for value in of.asked:
            shard.ask(recorded.question(value))
        items = ((at, recorded.published(value)) for at, value in of.published)
        for seen in joined(shard, items, map(recorded.decision, of.decided)):
            if isinstance(seen, Inherited):
                backtest.inherit(seen)
            elif seen is not None and (replayed := backtest.replay(seen)) is not None:
                comparison.take(seen, replayed)
    return comparison


def main() -> None:
    """Measure, and print `name value unit goal`."""
    history, rates = History(ITEMS), []
    candidate = Trial(parse(document(), frozenset(TOPICS.queues)), lambda versions: ())
    for _ in range(ROUNDS):
        started = time.process_time()
        found = compared(history, candidate)
        rates.append(found.items / (time.process_time() - started))
    print(f"backtest_items_per_s {statistics.median(rates):.0f} items/s >={GOAL}")


if __name__ == "__main__":
    main()
