"""Which automatic decisions are audited: at random, and by the plan."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.policy.auditing import drawn, share
from services.policy.draw import draw
from services.policy.facts import Facts
from services.policy.model import AuditRule, AuditStratum, Policy
from services.policy.route import Decided, route
from tests.unit.policy.making import DOCUMENT, policy, scored
from tests.unit.router.making import passed

PLAN = [
    {"category": "toxicity", "from": 0.0, "to": 0.1, "share": 0.05},
    {"category": "toxicity", "from": 0.1, "to": 0.3, "share": 0.4},
    {"category": "hate", "from": 0.9, "to": 1, "share": 0.8},
]


def audited(*plan: dict[str, Any], at_random: float = 0.1) -> Policy:
    return policy(audit={**DOCUMENT["audit"], "share": at_random, "plan": [*plan]})


def test_the_largest_share_that_applies_is_how_likely_an_item_is_drawn() -> None:
    rule = audited(*PLAN).audit
    cases: tuple[tuple[dict[str, Any], float], ...] = (
        ({"toxicity": 0.05}, 0.1),  # the random share is larger than the plan's
        ({"toxicity": 0.1}, 0.4),  # a stratum's lower end is its own
        ({"toxicity": 0.0999}, 0.1),
        ({"toxicity": 0.2, "hate": 1.0}, 0.8),  # so is 1
        ({"toxicity": 0.5}, 0.1),
    )
    for scores, probability in cases:
        assert share(scored(**scores).scores, rule) == probability
    assert share((), rule) == 0.1, "an item without scores is in no stratum"


def test_a_reason_says_whether_chance_alone_would_have_drawn_it() -> None:
    for luck, reason in ((0.05, "sampled"), (0.1, "planned"), (0.39, "planned"), (0.4, None)):
        outcome = route(passed(scored(toxicity=0.2)), audited(*PLAN), Facts(draw=luck))
        assert isinstance(outcome, Decided) and outcome.action == "allow", "decided as usual"
        assert (outcome.audited.reason if outcome.audited else None) == reason
        assert outcome.audited is None or outcome.audited.probability == 0.4


def test_items_are_drawn_as_often_as_their_probability_says() -> None:
    rule = audited(*PLAN).audit
    luck = [draw(b"salt", "audit", f"demo/{n}") for n in range(20_000)]
    for scores in (scored(toxicity=0.05).scores, scored(toxicity=0.2).scores, scored(hate=0.95).scores):
        expected = share(scores, rule)
        assert abs(sum(drawn(scores, rule, each) is not None for each in luck) / len(luck) - expected) < 0.012


shares = st.floats(0, 1)


@given(shares, shares, shares, st.floats(0, 1, exclude_max=True), st.floats(0, 1))
def test_a_larger_share_drops_no_item_and_no_probability_is_zero(
    at_random: float, planned: float, more: float, luck: float, score: float
) -> None:
    def rule(plan: float, sample: float) -> AuditRule:
        stratum = AuditStratum(category="toxicity", lower=0.0, upper=1.0, share=plan)
        return AuditRule(share=sample, queue="audit", supersede=True, plan=(stratum,))

    scores = scored(toxicity=score).scores
    before = drawn(scores, rule(planned, at_random), luck)
    assert before == drawn(scores, rule(planned, at_random), luck)
    assert before is None or before.probability == max(planned, at_random) > luck
    if before is not None:
        assert drawn(scores, rule(min(1.0, planned + more), at_random), luck) is not None
