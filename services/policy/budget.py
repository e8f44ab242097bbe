"""Whom people have time for: the most valuable items first, the rest goes by the policy's fallback.

Value is severity × reach × uncertainty. What the switch, an alarm or a cap took from the machine is not given back to
it by way of a fallback: the budget has no say there.
"""

from typing import TYPE_CHECKING

import msgspec

from services.policy.facts import Budget, Facts
from services.policy.model import Policy

if TYPE_CHECKING:
    from services.policy.route import Asked, Scored

CERTAIN = 0.01  # the least uncertainty, so that severity and reach still order what the model is sure of
NOBODY = Budget(threshold=None, margin=None, probability=0.0)
"""No time for anything more."""


def has_say(policy: Policy, facts: Facts, alarmed: bool) -> bool:
    """Whether an item that people would be asked about may fall back in their place."""
    return policy.budget is not None and policy.automation and not (facts.alarms and alarmed)


def worth(item: "Scored", asked: "Asked") -> float:
    """Severity × reach × uncertainty of a question.

    Reach is that of the item, 1 where it is not known or 0; uncertainty 1 where the probability of a category in
    question is a half, falling to 0.01 towards 0 and 1, and 1 where no thresholds hold or no category is in question.
    """
    doubts = [1 - abs(2 * s.probability - 1) for s in item.scores if s.category in asked.categories]
    uncertainty = 1.0 if asked.reason == "no_thresholds" else max(doubts, default=1.0)
    return asked.severity * max(1, _reach(item.item).reach or 1) * max(CERTAIN, uncertainty)


def likely(value: float, budget: Budget | None) -> float:
    """How likely people look at an item of this value."""
    if budget is None:
        return 1.0
    if budget.threshold is None or budget.margin is None or value < budget.threshold:
        return 0.0
    return 1.0 if value >= budget.margin else budget.probability


class _Reach(msgspec.Struct, gc=False):
    reach: int | None = None


_reach = msgspec.json.Decoder(_Reach).decode
