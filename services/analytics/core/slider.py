"""The trade-off of one category as JSON: what `GET /v1/tradeoff` answers. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from services.policy.certification.labels import AuditLabels
from services.policy.model import Policy
from services.policy.tradeoff import Estimate, Frontier, Point, Stop, missed, missed_of_all, wrong_removals
from services.policy.week import Came, Week, came

DIGITS = 6


@dataclass(frozen=True)
class Seen:
    """All that the page is made of. `policy` has the thresholds that hold for the model, `stated` those written."""

    policy: Policy
    stated: Policy
    model_version: str
    category: str
    labels: AuditLabels
    left_out: int
    frontier: Frontier
    week: Week
    seconds: dict[str, float]
    days: int


def slider(seen: Seen) -> dict[str, Any]:
    """Stops, curves, today, and what each pair of stops would have made of the week: `moves[removal][allowance]`.

    Shares are of 1; a stop without a threshold leaves that side to people. Queues and hours are a day's.
    """
    edge, asked, labels = seen.frontier, seen.frontier.asked, seen.labels
    rule = seen.policy.categories[seen.category]
    risks = seen.stated.categories[seen.category].risks
    now = _move(seen, rule.remove, rule.allow)
    return {
        "category": seen.category,
        "action": rule.action,
        "confidence": asked.risks.confidence,
        "model_version": seen.model_version,
        "policy_version": seen.policy.version,
        "labels": asked.labels,
        "violating": asked.violating,
        "left_out": seen.left_out,
        "least_violating": edge.least_violating,
        "drawable": edge.drawable,
        "why": list(asked.why),
        "week": {
            "days": seen.days,
            "items": seen.week.items,
            "fixed": seen.week.fixed,
            "elsewhere": seen.week.elsewhere,
        },
        "asked": {"wrong_removals": asked.risks.wrong_removals, "missed": asked.risks.missed},
        "today": {
            "remove": rule.remove,
            "allow": rule.allow,
            "certified": risks is not None and (rule.remove, rule.allow) != _written(seen),
            "risks": None
            if risks is None
            else {
                "wrong_removals": risks.wrong_removals,
                "missed": risks.missed,
                "confidence": risks.confidence,
            },
            "wrong_removals": _estimate(wrong_removals(labels, rule.remove, asked.risks.confidence)),
            "missed": _estimate(missed(labels, rule.allow, asked.risks.confidence)),
            "move": now,
        },
        "removals": [_stop(stop) for stop in edge.removals],
        "allowances": [_stop(stop) for stop in edge.allowances],
        "curves": {
            "wrong_removals": _curve(seen, edge.wrong, removing=True),
            "missed": _curve(seen, edge.missed, removing=False),
        },
        "moves": [
            [_move(seen, removal.threshold, allowance.threshold) for allowance in edge.allowances]
            for removal in edge.removals
        ]
        if edge.drawable
        else [],
    }


def _written(seen: Seen) -> tuple[float | None, float | None]:
    rule = seen.stated.categories[seen.category]
    return rule.remove, rule.allow


def _move(seen: Seen, remove: float | None, allow: float | None) -> dict[str, Any]:
    """What thresholds would have made of the week, and how much of it would have been wrong."""
    found = came(seen.week, seen.policy, seen.category, remove, allow)
    confidence = seen.frontier.asked.risks.confidence
    loads = found.loads(seen.policy, seen.seconds, seen.days)
    hours = [load.hours for load in loads.values()]
    return {
        "removed": found.removed,
        "allowed": found.allowed,
        "people": found.people,
        "wrong": _items(wrong_removals(seen.labels, remove, confidence), found.own),
        "missed": _items(missed_of_all(seen.labels, allow, confidence), seen.week.items),
        "queues": [
            {"queue": name, "reviews": round(load.reviews, 1), "hours": _rounded(load.hours, 2)}
            for name, load in loads.items()
        ],
        "hours": None if any(each is None for each in hours) else round(sum(filter(None, hours)), 2),
    }


def _curve(seen: Seen, points: Sequence[Point], removing: bool) -> list[dict[str, Any]]:
    """A risk by threshold, with how many of the week's items that side then decides by itself."""
    found = []
    for point in points if seen.frontier.drawable else ():
        there = _side(came_at(seen, point.threshold, removing), removing)
        found.append(
            {"threshold": round(point.threshold, DIGITS), "items": there} | (_estimate(point.risk) or {})
        )
    return found


def came_at(seen: Seen, threshold: float, removing: bool) -> Came:
    """The week with one threshold, the other side left to people."""
    remove, allow = (threshold, None) if removing else (None, threshold)
    return came(seen.week, seen.policy, seen.category, remove, allow)


def _side(found: Came, removing: bool) -> int:
    return found.removed if removing else found.allowed


def _stop(stop: Stop) -> dict[str, Any]:
    return {"risk": stop.risk, "threshold": _rounded(stop.threshold, DIGITS), "needed": stop.needed}


def _estimate(found: Estimate | None) -> dict[str, float] | None:
    if found is None:
        return None
    return {
        "value": round(found.value, DIGITS),
        "low": round(found.low, DIGITS),
        "high": round(found.high, DIGITS),
    }


def _items(found: Estimate | None, of: int) -> dict[str, int] | None:
    """A share of so many items, as items."""
    if found is None:
        return None
    return {
        name: round(of * value)
        for name, value in (("value", found.value), ("low", found.low), ("high", found.high))
    }


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
