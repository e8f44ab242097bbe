"""Copies of what people decided: first of all that decides, and what stops it."""

from typing import Any

import pytest

from services.events.types import Precedent
from services.policy.facts import Facts
from services.policy.model import Policy
from services.policy.precedents import inherits
from services.policy.route import Asked, Decided, Outcome, circumstances, route
from tests.unit.policy.making import AUDITED, DOCUMENT, MODEL, NOT_AUDITED, policy, scored
from tests.unit.router.making import passed

REMOVED = Precedent(decision="demo/first@1.1", action="remove", categories=("toxicity",))
ALLOWED = Precedent(decision="demo/first@1.1", action="allow")
RULES = [{"name": "all", "when": "item.kind == 'post'", "then": "limit"}]


def routed(
    precedent: Precedent, by: Policy, draw: float = NOT_AUDITED, p: float = 0.5, **facts: Any
) -> Outcome:
    return route(passed(scored(toxicity=p)), by, Facts(draw=draw, precedent=precedent, **facts))


def without(category: str) -> Policy:
    """The trial policy, in which people's decisions in a category hold for their own item only."""
    categories = {**DOCUMENT["categories"]}
    categories[category] = {**categories[category], "copies": False}
    return policy(categories=categories)


@pytest.mark.parametrize("precedent", [REMOVED, ALLOWED])
@pytest.mark.parametrize("p", [0.0, 0.5, 0.99])
@pytest.mark.parametrize("rules", [[], RULES])
def test_a_copy_is_decided_like_the_first_whatever_scores_and_rules_say(
    precedent: Precedent, p: float, rules: Any
) -> None:
    outcome = routed(precedent, policy(rules=rules), p=p)
    assert outcome == Decided(
        action=precedent.action,  # type: ignore[arg-type]  # neither is a hold
        categories=precedent.categories,
        rule="copy of demo/first@1.1",
        basis="duplicate",
    )


def test_the_draw_for_an_audit_is_kept() -> None:
    outcome = routed(REMOVED, policy(), AUDITED)
    assert isinstance(outcome, Decided) and outcome.basis == "duplicate" and outcome.audited


def test_the_switch_stops_it() -> None:
    outcome = routed(REMOVED, policy(automation=False))
    assert isinstance(outcome, Asked) and outcome.reason == "automation_off"


def test_a_cap_stops_it() -> None:
    outcome = routed(REMOVED, policy(), capped=frozenset({"remove"}))
    assert isinstance(outcome, Asked) and outcome.reason == "capped"


def test_an_alarm_on_the_model_does_not_stop_what_people_decided() -> None:
    outcome = routed(ALLOWED, policy(), alarms=frozenset({("toxicity", MODEL)}))
    assert isinstance(outcome, Decided) and outcome.basis == "duplicate"


def test_a_policy_may_turn_it_off() -> None:
    outcome = routed(REMOVED, policy(copies=False))
    assert isinstance(outcome, Asked) and outcome.reason == "uncertain"


def test_a_policy_may_turn_it_off_for_a_category_that_people_named() -> None:
    assert isinstance(routed(REMOVED, without("toxicity"), p=0.0), Decided)
    outcome = routed(REMOVED, without("toxicity"), p=0.0)
    assert isinstance(outcome, Decided) and outcome.basis == "automated"
    assert isinstance(routed(REMOVED, without("hate")), Decided)


def test_nor_is_what_was_allowed_inherited_where_such_a_category_is_in_question() -> None:
    assert isinstance(routed(ALLOWED, without("toxicity"), p=0.5), Asked)
    outcome = routed(ALLOWED, without("toxicity"), p=0.0)
    assert isinstance(outcome, Decided) and outcome.basis == "duplicate"


def test_what_is_held_is_no_decision() -> None:
    assert not inherits(policy(), Precedent(decision="demo/first@1.1", action="hold"), ())


def test_a_category_that_the_policy_does_not_know_turns_nothing_off() -> None:
    assert inherits(policy(), Precedent(decision="d/a@1.1", action="remove", categories=("other",)), ())


def test_the_precedent_is_recorded_also_where_it_had_no_say() -> None:
    for by in (policy(), policy(copies=False)):
        facts = Facts(draw=NOT_AUDITED, precedent=REMOVED)
        item = passed(scored(toxicity=0.5))
        assert circumstances(item, by, facts, route(item, by, facts)).precedent == REMOVED
