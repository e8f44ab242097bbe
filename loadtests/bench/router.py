"""`python -m loadtests.bench.router`: items a second that a policy of ten CEL rules, three of which use counters,
routes: one thread, no I/O.
"""

from __future__ import annotations

import random
import statistics
import time

import msgspec
import yaml

from infra.local.bootstrap import STARTER
from loadtests.full_policy import rules
from services.events.topics import load_topics
from services.policy.facts import Facts
from services.policy.parse import parse
from services.policy.route import route
from services.router.core.items import Classified, GivenScore

ITEMS, ROUNDS, GOAL = 50_000, 5, 50_000


def items(count: int) -> list[Classified]:
    """Items with text, author, reach and scores, as the router reads them."""
    chance = random.Random(1)
    return [
        Classified(
            event_id="0" * 32,
            occurred_at="2026-01-31T12:00:00.000Z",
            source="demo",
            item_id=f"post-{number}",
            revision=1,
            item=msgspec.Raw(
                msgspec.json.encode(
                    {
                        "kind": "post",
                        "text": "word " * chance.randrange(5, 40),
                        "language": "en",
                        "reach": chance.randrange(1000),
                        "author": {
                            "id": f"u{chance.randrange(9999)}",
                            "created_at": "2024-05-01T00:00:00.000Z",
                        },
                    }
                )
            ),
            scores=tuple(
                GivenScore(category=name, probability=chance.random() ** 4)
                for name in ("toxicity", "hate", "spam")
            ),
            model_version="starter-0123abcd",
            tier="fast",
            accepted_at="2026-01-31T11:59:59.000Z",
        )
        for number in range(count)
    ]


def main() -> None:
    """Measure, and print `name value unit goal`."""
    document = yaml.safe_load((STARTER / "policy.yaml").read_text("utf-8"))
    document["rules"] = rules()
    policy = parse(yaml.safe_dump(document), frozenset(load_topics().queues))
    counters = dict.fromkeys(policy.counters, 1)
    made, facts, rates = items(ITEMS), Facts(draw=0.5, counters=counters), []
    for _ in range(ROUNDS):
        started = time.process_time()
        for item in made:
            route(item, policy, facts)
        rates.append(ITEMS / (time.process_time() - started))
    print(f"router_items_per_s {statistics.median(rates):.0f} items/s >={GOAL}")


if __name__ == "__main__":
    main()
