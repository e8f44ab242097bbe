"""What tuning came to, in the terminal."""

from __future__ import annotations

import numpy as np
import yaml
from rich.console import Console
from rich.table import Table

from services.cli.tuning.audits import Audits
from services.policy.certification.labels import Floats
from services.policy.certify import Certificate, certify
from services.policy.model import Risks
from services.policy.planning import Plan

WIDTH = 40
SLIDER = (0.5, 1.0, 1.5, 2.0, 3.0, 4.0)  # times the risks asked for


def show_certificate(
    console: Console, category: str, known: Audits, found: Certificate, policy: str | None
) -> None:
    """Thresholds, what they rest on, and people's share along the slider with today's point."""
    risks = found.risks
    table = Table(title=f"{category}: {risks.confidence:.0%} sure", title_justify="left")
    for column in ("risk", "at most", "threshold", "audited"):
        table.add_column(column)
    table.add_row(
        "wrong removals", f"{risks.wrong_removals:.2%}", _threshold(found.remove), str(found.labels)
    )
    table.add_row("missed", f"{risks.missed:.2%}", _threshold(found.allow), f"{found.violating} violating")
    console.print(table)
    if known.seen:
        console.print(f"{known.seen} labels left out: training or gate saw their texts")
    lowest, highest = known.labels.rates[-1], float(known.labels.probability.max(initial=0))
    if highest > lowest:
        console.print(
            f"drawn with probabilities from {lowest:.3g} to {highest:.3g}: thinned by these to equal chances"
        )
    for reason in found.why:
        console.print(reason, highlight=False, soft_wrap=True)
    if not len(known.pool):
        return
    console.print("people's share of items, by the risks allowed (wrong removals / missed):")
    for times in SLIDER:
        allowed = Risks(
            wrong_removals=min(0.5, risks.wrong_removals * times),
            missed=min(0.5, risks.missed * times),
            confidence=risks.confidence,
        )
        people = 1 - certify(known.labels, allowed).automated(known.pool, known.pool_items)
        mark = "◀ asked for" if times == 1 else ""
        label = f"{allowed.wrong_removals:.1%} / {allowed.missed:.1%}"
        console.print(f"  {label:>15} {_bar(people)} {people:6.1%} {mark}", highlight=False)
    if (today := _today(policy, category)) is not None:
        remove, allow = today
        wrong, missed, people = estimated(known, remove, allow)
        label = f"{wrong:.1%} / {missed:.1%}"
        console.print(f"  {label:>15} {_bar(people)} {people:6.1%} ◀ today, estimated", highlight=False)


def show_plan(console: Console, category: str, plan: Plan) -> None:
    """Where to draw, with what probability, and what to expect of it."""
    table = Table(title=f"{category}: where to draw", title_justify="left")
    for column in ("score from", "to", "probability", "labels"):
        table.add_column(column)
    for stratum in plan.strata:
        table.add_row(
            f"{stratum.lower:.4f}",
            f"{stratum.upper:.4f}",
            f"{stratum.probability:.4g}",
            f"{stratum.labels:.0f}",
        )
    console.print(table)
    console.print(
        f"expected to be automated: {plan.expected:.0%}; with random draws {plan.at_random:.0%}",
        highlight=False,
    )
    console.print("to draw so, add to `audit:` in the policy, and release it:")
    console.print("\n".join(as_policy(category, plan)), highlight=False, soft_wrap=True)


def as_policy(category: str, plan: Plan) -> list[str]:
    """The plan as lines of YAML, for `audit` of a policy."""
    return [
        "  plan:",
        *(
            f"    - {{category: {category}, from: {_decimal(stratum.lower)}, to: {_decimal(stratum.upper)},"
            f" share: {_share_of(stratum.probability)}}}"
            for stratum in plan.strata
        ),
    ]


def _decimal(value: float) -> str:
    """Without an exponent, which YAML takes for text."""
    return f"{value:.9f}".rstrip("0").rstrip(".")


def _share_of(probability: float) -> str:
    """To six digits that count, however small it is: a share of 0 draws nothing. Without an exponent as well."""
    return np.format_float_positional(probability, precision=6, fractional=False, trim="-")


def estimated(known: Audits, remove: float | None, allow: float | None) -> tuple[float, float, float]:
    """Wrong removals, missed and people's share at thresholds, estimated by weights (Horvitz and Thompson 1952)."""
    scores, weights, violates = known.labels.scores, known.pool_items, known.labels.violates
    removed = scores >= remove if remove is not None else np.zeros(len(scores), bool)
    allowed = (scores <= allow) & ~removed if allow is not None else np.zeros(len(scores), bool)
    return (
        _share(weights * (removed & ~violates), weights * removed),
        _share(weights * (allowed & violates), weights * violates),
        _share(weights * ~(removed | allowed), weights),
    )


def _share(part: Floats, whole: Floats) -> float:
    return float(part.sum() / whole.sum()) if whole.sum() else 0.0


def _today(policy: str | None, category: str) -> tuple[float | None, float | None] | None:
    """The thresholds that a policy's document states for a category, None where it states none."""
    rule = yaml.safe_load(policy)["categories"].get(category, {}) if policy else {}
    return (rule.get("remove"), rule.get("allow")) if "remove" in rule or "allow" in rule else None


def _threshold(value: float | None) -> str:
    return "never" if value is None else f"{value:.6f}"


def _bar(share: float) -> str:
    filled = round(share * WIDTH)
    return "█" * filled + "░" * (WIDTH - filled)
