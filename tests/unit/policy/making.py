"""Policies and scored items to try things with."""

from typing import Any

import msgspec
import yaml

from services.events.types import ContentClassified, Item, Score
from services.policy.model import Policy
from services.policy.parse import parse

QUEUES = frozenset({"general", "expert", "audit"})
MODEL = "starter-0123abcd"
DOCUMENT: dict[str, Any] = {
    "name": "trial",
    "automation": True,
    "categories": {
        "toxicity": {"remove": 0.9, "allow": 0.3, "severity": 2},
        "hate": {"remove": 0.8, "allow": 0.2, "severity": 3, "queue": "expert"},
        "spam": {"remove": 0.9, "allow": 0.3, "severity": 1, "action": "limit"},
    },
    "queues": {
        "general": {"votes": 2, "lease_seconds": 300, "deadline_minutes": 60, "expire_hours": 100},
        "expert": {"votes": 1, "lease_seconds": 600, "deadline_minutes": 120, "expire_hours": 90},
        "audit": {"votes": 1, "lease_seconds": 300, "deadline_minutes": 600, "expire_hours": 80},
    },
    "queue": "general",
    "escalation": "expert",
    "while_pending": "publish",
    "fallback": "allow",
    "audit": {"share": 0.1, "queue": "audit", "supersede": True},
}
NOT_AUDITED = 0.5  # a draw above the share
AUDITED = 0.05


def policy(**changes: Any) -> Policy:
    """The trial policy with top-level changes."""
    return parse(yaml.safe_dump({**DOCUMENT, **changes}), QUEUES)


def scored(
    toxicity: float = 0.0, hate: float = 0.0, spam: float = 0.0, revision: int = 1, **changes: Any
) -> ContentClassified:
    """An item with these scores."""
    scores = {"toxicity": toxicity, "hate": hate, "spam": spam}
    item = ContentClassified(
        event_id="0" * 32,
        occurred_at="2026-01-31T12:00:00.000Z",
        source="demo",
        item_id="post-1",
        revision=revision,
        item=Item(kind="post", text="a post"),
        text_hash="a" * 32,
        scores=tuple(Score(category=name, probability=p) for name, p in scores.items()),
        model_version=MODEL,
        tier="fast",
        accepted_at="2026-01-31T11:59:59.000Z",
    )
    return msgspec.structs.replace(item, **changes)
