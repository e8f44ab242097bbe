"""A policy that states a risk and audits by a plan, and labels as such audits give them."""

import random
from pathlib import Path
from typing import Any

import infra
from services.events.codec import encode
from services.events.fresh import fresh_id
from services.events.types import Label, LabelRecorded, Selection
from services.runtime.kafka import plain_producer
from services.scoring import bundle
from tests.integration.router.running import Line
from tests.unit.policy.making import DOCUMENT

STARTER = Path(infra.__file__).parent / "starter"
STARTER_MODEL = bundle.load(STARTER).model_version
MEAN, KIND = "you stupid idiot nobody likes you", "have a nice day and see you at lunch"
AT_RANDOM, LOW = 0.05, 0.5
PLAN = [
    {"category": "toxicity", "from": 0, "to": 0.2, "share": LOW},
    {"category": "toxicity", "from": 0.2, "to": 1, "share": 1},
]
POLICY: dict[str, Any] = {
    "categories": {
        "toxicity": {"risks": {"wrong_removals": 0.05, "missed": 0.05, "confidence": 0.95}, "severity": 2},
        "hate": {"allow": 0.99, "severity": 1},
        "spam": {"allow": 0.99, "severity": 1},
    },
    "audit": {**DOCUMENT["audit"], "share": AT_RANDOM, "plan": PLAN},
}


def record(line: Line, n: int, policy_version: str, start: int = 0) -> None:
    """Labels as the adjudicator writes them, drawn as the policy draws: half of them mean."""
    producer, luck = plain_producer(line.settings), random.Random(start)
    for number in range(start, start + n):
        mean = number % 2 == 0
        event = LabelRecorded(
            event_id=fresh_id(),
            occurred_at="2026-01-01T00:00:00.000Z",
            task_id=f"demo/l-{number}@1.audit",
            source="demo",
            item_id=f"l-{number}",
            revision=1,
            kind="post",
            text=f"{MEAN if mean else KIND} {number} {luck.random()}",
            action="remove" if mean else "allow",
            labels=(Label(category="toxicity", value=mean),),
            purpose="audit",
            queue="audit",
            selection=Selection(reason="planned", probability=1.0 if mean else LOW),
            agreement=1.0,
            model_version=STARTER_MODEL,
            policy_version=policy_version,
        )
        producer.produce("label.recorded", key=f"demo/{event.item_id}".encode(), value=encode(event))
    assert producer.flush(30) == 0
