"""Made-up audits."""

from functools import cache
from typing import Any

import numpy as np

from services.policy.certification.labels import AuditLabels, Floats, Stratum, audit_labels
from services.policy.model import Risks

RISKS = Risks(wrong_removals=0.05, missed=0.1, confidence=0.9)


def risks(**changes: float) -> Risks:
    return Risks(**({"wrong_removals": 0.05, "missed": 0.1, "confidence": 0.9} | changes))


@cache
def pool(n: int = 100_000, seed: int = 0) -> tuple[Floats, Any]:
    """Calibrated scores of items, a sixth of which violate, and their answers."""
    rng = np.random.default_rng(seed)
    scores = 1 / (1 + np.exp(-rng.normal(-7, 7, n)))
    return scores, rng.random(n) < scores


def drawn(n: int, seed: int, design: tuple[Stratum, ...] = (), **of: Any) -> AuditLabels:
    """About `n` labels at random from the pool; with a design, each with its stratum's probability."""
    scores, answers = pool(**of)
    rng = np.random.default_rng(seed)
    rate = np.full(len(scores), n / len(scores))
    if design:
        lowers = np.array([stratum.lower for stratum in design])
        rate = np.array([s.probability for s in design])[np.searchsorted(lowers, scores, side="right") - 1]
    chosen = np.flatnonzero(rng.random(len(scores)) < rate)
    groups = [f"{seed}-{index}" for index in chosen]
    return audit_labels(scores[chosen], answers[chosen], rate[chosen], groups, design)
