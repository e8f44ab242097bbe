"""Where to draw audits: within the budget, over every score, and no worse than at random."""

import numpy as np
import pytest

from services.policy.certification.labels import Stratum
from services.policy.planning import design, plan
from tests.unit.policy.auditing import pool, risks
from tests.unit.policy.making import DOCUMENT, policy

SCORES = pool(20_000)[0]


def test_a_plan_spends_the_budget_and_covers_every_score() -> None:
    made = plan(SCORES, 600, risks())
    assert sum(stratum.labels for stratum in made.strata) == pytest.approx(600, rel=1e-6)
    assert made.strata[0].lower == 0 and made.strata[-1].upper == 1
    assert sum(stratum.items for stratum in made.strata) == pytest.approx(len(SCORES))
    assert all(0 < stratum.probability <= 1 for stratum in made.strata)
    assert [s.upper for s in made.strata[:-1]] == [s.lower for s in made.strata[1:]]


def test_a_plan_is_expected_to_certify_no_less_than_random_draws() -> None:
    made = plan(SCORES, 600, risks())
    assert made.expected >= made.at_random > 0


def test_the_same_pool_gives_the_same_plan() -> None:
    assert plan(SCORES, 300, risks()) == plan(SCORES[::-1], 300, risks())


def test_items_count_as_often_as_they_occur() -> None:
    once = plan(np.repeat(SCORES[:2000], 3), 200, risks())
    counted = plan(SCORES[:2000], 200, risks(), np.full(2000, 3.0))
    assert [s.items for s in once.strata] == pytest.approx([s.items for s in counted.strata], rel=0.02)


@pytest.mark.parametrize(("scores", "budget"), [([], 10), ([0.5], 0)])
def test_nothing_to_draw_from_or_with_is_refused(scores: list[float], budget: int) -> None:
    with pytest.raises(ValueError, match="at least one label"):
        plan(np.array(scores), budget, risks())


def test_a_policys_plan_says_how_likely_each_score_is_audited_at_least() -> None:
    strata = [
        {"category": "toxicity", "from": 0.1, "to": 0.3, "share": 0.4},
        {"category": "toxicity", "from": 0.3, "to": 0.5, "share": 0.02},
        {"category": "hate", "from": 0, "to": 1, "share": 0.9},
    ]
    audit = {**DOCUMENT["audit"], "plan": strata}
    rule = policy(audit=audit).audit
    assert design(rule, "toxicity") == ((0.0, 0.1), (0.1, 0.4), (0.3, 0.1), (0.5, 0.1))
    assert design(rule, "hate") == (Stratum(0.0, 0.9),) and design(rule, "spam") == (Stratum(0.0, 0.1),)
    with pytest.raises(ValueError, match=r"audits nothing that scores from 0.5 on"):
        design(
            policy(audit={**audit, "share": 0, "plan": [strata[0] | {"from": 0, "to": 0.5}]}).audit,
            "toxicity",
        )
