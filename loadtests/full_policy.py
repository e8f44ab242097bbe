"""A policy with everything switched on, for the posts of the hose: what the hot path is measured with."""

from __future__ import annotations

from typing import Any

from loadtests import ground

CONDITIONS = (  # as policies have them; hardly any holds, so that nearly all are tried
    "author.id in ['a1', 'a2', 'a3']",
    "author.age_days < 0.01 && item.links > 0",
    "item.reach > 90000 && scores.hate > 0.6 && counters.author.reports_1d > 3",
    "counters.author.items_10m > 1000",
    "item.links > 5",
    "item.length > 5000 && scores.spam > 0.2",
    "scores.toxicity > 0.4 && scores.hate > 0.7 && scores.spam > 0.7",
    "item.kind == 'bio' && scores.spam > 0.5",
    "item.text.contains('free money now')",
    "counters.text.items_1h > 500 && author.age_days < 7.0",
)
REMOVALS_A_MINUTE = 2_000_000  # counted for every decision and never reached


def rules() -> list[dict[str, str]]:
    """CONDITIONS as a policy document has them."""
    return [
        {"name": f"rule-{number}", "when": when, "then": "review"} for number, when in enumerate(CONDITIONS)
    ]


def full_policy() -> dict[str, Any]:
    """That of `ground.policy` with ten CEL rules, three counters of theirs and one that outcomes add to, and a cap.

    Audits and copies are on there already.
    """
    return ground.policy() | {
        "rules": rules(),
        "counters": ["author.removals_1d"],
        "caps": {"remove": REMOVALS_A_MINUTE},
    }
