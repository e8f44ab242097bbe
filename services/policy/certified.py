"""A policy that states risks, with the thresholds that are certified for a model."""

from collections.abc import Iterable
from typing import Protocol

from msgspec.structs import replace

from services.policy.model import CategoryRule, Policy, Risks


class Certified(Protocol):
    """Thresholds of one category, certified for risks and a confidence; None is never."""

    @property
    def category(self) -> str: ...
    @property
    def wrong_removals(self) -> float: ...
    @property
    def missed(self) -> float: ...
    @property
    def confidence(self) -> float: ...
    @property
    def remove(self) -> float | None: ...
    @property
    def allow(self) -> float | None: ...
    @property
    def automated(self) -> float: ...


def certified(policy: Policy, points: Iterable[Certified]) -> Policy:
    """The policy as it holds for a model with these operating points.

    Where a category states risks, the point within them that automates most gives both thresholds. Without such a
    point its explicit thresholds stay; without those the category decides nothing, and people are asked
    (`no_thresholds`).
    """
    if all(rule.risks is None for rule in policy.categories.values()):
        return policy
    of_model = tuple(points)
    return replace(
        policy, categories={name: _with(rule, of_model) for name, rule in policy.categories.items()}
    )


def covered(risks: Risks, category: str, points: Iterable[Certified]) -> list[Certified]:
    """The points of a category that are within its risks and decide anything."""
    return [
        point
        for point in points
        if point.category == category
        and point.wrong_removals <= risks.wrong_removals
        and point.missed <= risks.missed
        and point.confidence >= risks.confidence
        and (point.remove is not None or point.allow is not None)
    ]


def _with(rule: CategoryRule, points: tuple[Certified, ...]) -> CategoryRule:
    risks = rule.risks
    if risks is None:
        return rule
    within = covered(risks, rule.name, points)
    if not within:
        return rule
    best = max(within, key=lambda point: (point.automated, point.confidence))
    return replace(rule, remove=best.remove, allow=best.allow)
