"""When people have not time for all, they see what is worth most; the rest goes by the fallback, and says so."""

from typing import Any

import msgspec
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from services.policy.budget import NOBODY, likely, worth
from services.policy.errors import InvalidPolicy
from services.policy.facts import Budget, Facts
from services.policy.model import Policy
from services.policy.parse import parse
from services.policy.route import Asked, Decided, Outcome, circumstances, route
from services.router.core.items import Classified
from tests.unit.policy.making import AUDITED, DOCUMENT, MODEL, NOT_AUDITED, QUEUES, policy, scored
from tests.unit.router.making import passed

BY = policy(budget={"reviews_per_hour": 60})
SOME = Budget(threshold=50.0, margin=100.0, probability=0.25)


def item(reach: int | None, toxicity: float = 0.5, **scores: float) -> Classified:
    raw = msgspec.json.encode({"kind": "post"} | ({} if reach is None else {"reach": reach}))
    return msgspec.structs.replace(passed(scored(toxicity=toxicity, **scores)), item=msgspec.Raw(raw))


def routed(of: Classified, by: Policy = BY, budget: Budget | None = SOME, **facts: Any) -> Outcome:
    return route(of, by, Facts(**{"draw": NOT_AUDITED, "budget": budget, "budget_draw": 0.5} | facts))


def test_the_value_of_a_question_is_severity_times_reach_times_uncertainty() -> None:
    asked = Asked(queue="general", categories=("toxicity",), reason="uncertain", severity=2.0)
    assert worth(item(10), asked) == 2 * 10 * 1
    assert worth(item(10, toxicity=0.75), asked) == pytest.approx(2 * 10 * 0.5)
    assert worth(item(None), asked) == worth(item(0), asked) == 2
    assert worth(item(10, toxicity=1.0), asked) == pytest.approx(2 * 10 * 0.01), "reach still counts"
    blind = msgspec.structs.replace(asked, reason="no_thresholds")
    assert worth(item(10, toxicity=1.0), blind) == 20


def test_the_most_valuable_are_asked_about_and_the_rest_falls_back() -> None:
    sure = routed(item(50))
    assert isinstance(sure, Asked) and (sure.probability, sure.worth) == (1.0, 100)
    drawn = routed(item(40), budget_draw=0.24)
    assert isinstance(drawn, Asked) and (drawn.worth, drawn.reason) == (80, "uncertain")
    assert drawn.probability == pytest.approx(0.25 + 0.75 * 0.1), "a tenth of what falls back is audited"
    for fell in (routed(item(40), budget_draw=0.25), routed(item(24), budget_draw=0.0)):
        assert isinstance(fell, Decided)
        assert (fell.action, fell.basis, fell.categories) == ("allow", "fallback", ())
    assert isinstance(routed(item(24), budget=None), Asked), "there is time for all"
    assert isinstance(routed(item(10**9), budget=NOBODY, budget_draw=None), Decided)


def test_what_falls_back_is_audited_and_recorded_like_other_decisions() -> None:
    by = policy(budget={"reviews_per_hour": 60}, fallback="remove")
    facts = Facts(draw=AUDITED, budget=SOME, budget_draw=0.5)
    fell = route(item(40), by, facts)
    assert isinstance(fell, Decided) and fell.audited and fell.categories == ("toxicity",)
    seen = circumstances(item(40), by, facts, fell).budget
    assert seen is not None
    assert (seen.value, seen.threshold, seen.margin, seen.probability, seen.draw) == (80, 50, 100, 0.25, 0.5)
    assert circumstances(item(40), by, facts, route(item(40, toxicity=0.99), by, facts)).budget is None


@pytest.mark.parametrize("plan", [(), ({"category": "toxicity", "from": 0.4, "to": 0.6, "share": 0.5},)])
def test_labels_weighed_by_their_probability_stand_for_all_items_once(
    plan: tuple[dict[str, Any], ...],
) -> None:
    """Over every pair of draws: of an item that may be asked about, or fall back and be audited."""
    by = policy(budget={"reviews_per_hour": 60}, audit={**DOCUMENT["audit"], "plan": list(plan)})
    steps = [(n + 0.5) / 40 for n in range(40)]
    weights = 0.0
    for budget_draw in steps:
        for draw in steps:
            outcome = routed(item(40), by, budget_draw=budget_draw, draw=draw)
            if isinstance(outcome, Asked):
                weights += 1 / outcome.probability
            elif outcome.audited:
                weights += 1 / outcome.audited.probability
    assert weights / len(steps) ** 2 == pytest.approx(1)


def test_what_was_taken_from_the_machine_is_not_given_back_to_it() -> None:
    for by, facts in (
        (policy(budget={"reviews_per_hour": 60}, automation=False), {}),
        (BY, {"alarms": frozenset({("toxicity", MODEL)})}),
        (BY, {"capped": frozenset({"allow"})}),
    ):
        for toxicity in (0.0, 0.5):
            asked = routed(item(1, toxicity=toxicity), by, NOBODY, **facts)
            assert isinstance(asked, Asked) and asked.probability == 1.0


@given(st.floats(0, 1e9), st.floats(0, 1e9), st.floats(0, 1))
def test_a_greater_value_is_never_less_likely(one: float, other: float, probability: float) -> None:
    for budget in (None, NOBODY, Budget(threshold=50.0, margin=100.0, probability=probability)):
        assert likely(min(one, other), budget) <= likely(max(one, other), budget)


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        ("{reviews_per_hour: -1}", "-1 is less than the minimum of 0"),
        ("{reviews_per_hour: many}", "'many' is not of type 'integer'"),
        ("{}", "'reviews_per_hour' is a required property"),
        ("{reviews_per_hour: 1, a_day: 2}", "unknown key `a_day`"),
    ],
)
def test_a_budget_that_is_none_is_refused_in_its_line(bad: str, says: str) -> None:
    text = yaml.safe_dump(DOCUMENT) + f"budget: {bad}\n"
    with pytest.raises(InvalidPolicy) as refused:
        parse(text, QUEUES)
    (problem,) = refused.value.problems
    assert says in problem.what and problem.line == text.count("\n")
