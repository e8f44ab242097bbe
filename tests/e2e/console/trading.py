"""Answers of /v1/tradeoff for the page: computed as analytics does, of made-up audits and items."""

from __future__ import annotations

from typing import Any

import numpy as np

from services.analytics.core.slider import Seen, slider
from services.events.types import Score
from services.policy.certification.labels import audit_labels
from services.policy.model import Policy, Risks
from services.policy.tradeoff import frontier
from services.policy.week import Week, counted
from tests.unit.policy.making import policy

CATEGORIES = ["toxicity", "hate", "spam"]


def answer(
    audits: int,
    items: int = 4_000,
    confidence: float = 0.95,
    category: str = "toxicity",
    by: Policy | None = None,
    categories: list[str] = CATEGORIES,
    seconds: dict[str, float] | None = None,
) -> dict[str, Any]:
    """A fifth of the items violates; scores are calibrated. `audits` of 40,000 are labelled, drawn at random."""
    by = by or policy()
    rng = np.random.default_rng(7)
    pool = 1 / (1 + np.exp(-rng.normal(-6, 7, 40_000)))
    violates = rng.random(len(pool)) < pool
    chosen = rng.choice(len(pool), audits, replace=False)
    labels = audit_labels(
        pool[chosen], violates[chosen], np.full(audits, audits / len(pool)), [f"text {n}" for n in chosen]
    )
    rule = by.categories[category]
    asked = Risks(wrong_removals=0.02, missed=0.05, confidence=confidence)
    edge = frontier(labels, asked)
    bounds = edge.thresholds(rule.remove, rule.allow)
    others = [name for name in by.categories if name != category]
    stream = [
        (
            Score(category=category, probability=float(p)),
            *(Score(category=name, probability=float(rng.beta(0.15, 3))) for name in others),
        )
        for p in rng.choice(pool, items)
    ]
    week = Week(bounds, counted(stream, by, category, bounds), fixed=items // 50, elsewhere=items // 20)
    seen = Seen(
        by,
        by,
        "starter-0123456789ab",
        category,
        labels,
        14,
        edge,
        week,
        seconds or {"general": 31.0, "expert": 55.0},
        7,
    )
    return slider(seen) | {"categories": categories, "as_of": 1_790_000_000}
