"""What a policy makes of an item: exactly one of an automatic decision and a question to people."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from services.events.types import ContentClassified, Score, Selection
from services.policy.facts import Facts
from services.policy.model import Policy
from services.policy.route import HARM, Asked, Decided, Outcome, route
from tests.unit.policy.making import AUDITED, DOCUMENT, MODEL, NOT_AUDITED, policy, scored

POLICY = policy()
NONE: frozenset[tuple[str | None, str | None]] = frozenset()


def routed(
    item: ContentClassified, by: Policy = POLICY, alarms: Any = NONE, draw: float = NOT_AUDITED, **facts: Any
) -> Outcome:
    return route(item, by, Facts(alarms=alarms, draw=draw, **facts))


def decided(outcome: Outcome) -> tuple[str, tuple[str, ...]]:
    assert isinstance(outcome, Decided), outcome
    return outcome.action, outcome.categories


def asked(outcome: Outcome) -> tuple[str, str, tuple[str, ...]]:
    assert isinstance(outcome, Asked), outcome
    return outcome.reason, outcome.queue, outcome.categories


def test_what_no_category_objects_to_is_allowed() -> None:
    assert decided(routed(scored(toxicity=0.3, hate=0.2, spam=0.3))) == ("allow", ())


def test_what_a_category_is_sure_of_is_removed_whatever_the_others_say() -> None:
    outcome = routed(scored(toxicity=0.9, hate=0.5))
    assert decided(outcome) == ("remove", ("toxicity",))
    assert isinstance(outcome, Decided) and outcome.rule == "toxicity 0.9 >= 0.9"


def test_all_that_suffice_for_the_action_are_named() -> None:
    assert decided(routed(scored(toxicity=0.95, hate=0.95, spam=0.95))) == ("remove", ("toxicity", "hate"))


def test_what_lies_between_goes_to_the_queue_of_the_most_severe_category() -> None:
    assert asked(routed(scored(toxicity=0.31))) == ("uncertain", "general", ("toxicity",))
    assert asked(routed(scored(toxicity=0.8, hate=0.21))) == ("uncertain", "expert", ("hate", "toxicity"))


def test_the_severity_is_that_of_the_worst_category_in_question() -> None:
    outcome = routed(scored(toxicity=0.5, spam=0.5))
    assert isinstance(outcome, Asked) and outcome.severity == 2


def test_a_limit_is_decided_only_where_nothing_worse_is_in_doubt() -> None:
    assert decided(routed(scored(spam=0.95))) == ("limit", ("spam",))
    assert asked(routed(scored(spam=0.95, toxicity=0.5)))[0] == "uncertain"
    assert decided(routed(scored(spam=0.95, toxicity=0.95))) == ("remove", ("toxicity",))


def test_a_category_without_thresholds_is_never_decided_by() -> None:
    categories = {**DOCUMENT["categories"], "toxicity": {"severity": 2}}
    by = policy(categories=categories)
    assert asked(routed(scored(toxicity=0.0), by))[0] == "uncertain"
    assert asked(routed(scored(toxicity=1.0), by))[0] == "uncertain"
    assert decided(routed(scored(toxicity=1.0, hate=1.0), by)) == ("remove", ("hate",))


def test_what_the_policy_does_not_know_goes_to_people() -> None:
    item = scored()
    more = (*item.scores, Score(category="threat", probability=0.01))
    assert asked(routed(replace(item, scores=more))) == ("no_thresholds", "general", ("threat",))
    sure = (*scored(hate=0.99).scores, Score(category="threat", probability=0.01))
    assert decided(routed(replace(item, scores=sure))) == ("remove", ("hate",)), (
        "removal needs no more to be known"
    )


def test_what_the_model_does_not_score_goes_to_people() -> None:
    assert asked(routed(replace(scored(), scores=scored().scores[:2])))[0] == "no_thresholds"
    assert asked(routed(replace(scored(), scores=())))[:2] == ("no_thresholds", "general")


def test_the_switch_stops_all_automation() -> None:
    off = policy(automation=False)
    assert asked(routed(scored(), off)) == ("automation_off", "general", ())
    assert asked(routed(scored(hate=1.0), off)) == ("automation_off", "expert", ("hate",))
    assert asked(routed(scored(toxicity=0.5), off))[0] == "uncertain", "it would have gone to people anyway"


@pytest.mark.parametrize("alarm", [("toxicity", MODEL), ("toxicity", None), (None, MODEL), (None, None)])
def test_a_category_under_alarm_decides_nothing(alarm: tuple[str | None, str | None]) -> None:
    alarms = frozenset({alarm})
    assert asked(routed(scored(toxicity=0.99), alarms=alarms))[0] == "alarm"
    assert asked(routed(scored(), alarms=alarms))[0] == "alarm", (
        "an automatic allow rests on its low score too"
    )
    assert "toxicity" in asked(routed(scored(), alarms=alarms))[2], "people are told what is in question"


def test_under_an_alarm_another_category_still_removes() -> None:
    alarms = frozenset({("toxicity", MODEL)})
    assert decided(routed(scored(hate=0.99), alarms=alarms)) == ("remove", ("hate",))
    assert decided(routed(scored(toxicity=0.99, hate=0.99), alarms=alarms)) == ("remove", ("hate",))


def test_under_an_alarm_a_limit_stands_only_where_the_alarmed_category_can_do_no_worse() -> None:
    assert asked(routed(scored(spam=0.99), alarms=frozenset({("toxicity", MODEL)})))[0] == "alarm"
    assert asked(routed(scored(spam=0.99), alarms=frozenset({("spam", MODEL)})))[0] == "alarm"


def test_an_alarm_concerns_the_model_that_it_names() -> None:
    assert decided(routed(scored(), alarms=frozenset({("toxicity", "other-1")}))) == ("allow", ())
    assert decided(routed(scored(), alarms=frozenset({("threat", MODEL)}))) == ("allow", ())


def test_an_action_of_which_there_were_enough_goes_to_people() -> None:
    enough = frozenset({"remove"})
    assert asked(routed(scored(hate=0.99), capped=enough)) == ("capped", "expert", ("hate",))
    assert decided(routed(scored(spam=0.99), capped=enough)) == ("limit", ("spam",))
    assert decided(routed(scored(), capped=enough)) == ("allow", ())
    assert asked(routed(scored(hate=0.5), capped=enough))[0] == "uncertain", (
        "it would have gone to people anyway"
    )


def test_the_drawn_are_decided_as_usual_and_audited() -> None:
    plain, drawn = routed(scored(hate=0.99)), routed(scored(hate=0.99), draw=AUDITED)
    assert isinstance(plain, Decided) and isinstance(drawn, Decided)
    assert drawn == replace(plain, audited=Selection(reason="sampled", probability=0.1)) and not plain.audited
    assert isinstance(routed(scored(hate=0.5), draw=AUDITED), Asked), "people see it anyway"
    assert not routed(scored(), policy(audit={**DOCUMENT["audit"], "share": 0}), draw=0.0).audited  # type: ignore[union-attr]


probabilities = st.one_of(st.floats(0, 1), st.sampled_from([0.0, 0.2, 0.3, 0.5, 0.8, 0.9, 1.0]))
items = st.builds(scored, toxicity=probabilities, hate=probabilities, spam=probabilities)
categories = st.sampled_from(["toxicity", "hate", "spam", None])
alarm_sets = st.frozensets(st.tuples(categories, st.sampled_from([MODEL, "other", None])), max_size=3)


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    """Any policy over the three categories."""
    rules = {}
    for name in ("toxicity", "hate", "spam"):
        low, high = sorted(draw(st.lists(st.floats(0.01, 0.99), min_size=2, max_size=2, unique=True)))
        rules[name] = {
            "severity": draw(st.integers(0, 5)),
            "action": draw(st.sampled_from(["remove", "limit"])),
            **({"remove": high} if draw(st.booleans()) else {}),
            **({"allow": low} if draw(st.booleans()) else {}),
        }
    return policy(categories=rules)


@given(items, policies(), alarm_sets, st.floats(0, 1, exclude_max=True))
def test_there_is_exactly_one_outcome_and_always_the_same(
    item: ContentClassified, by: Policy, alarms: Any, draw: float
) -> None:
    outcome = routed(item, by, alarms, draw)
    assert isinstance(outcome, Decided | Asked)
    assert outcome == routed(item, by, alarms, draw)
    if isinstance(outcome, Asked):
        assert outcome.queue in by.queues


@given(items, policies(), alarm_sets, st.sampled_from(["toxicity", "hate", "spam"]), st.floats(0, 1))
def test_a_stricter_threshold_never_removes_more(
    item: ContentClassified, by: Policy, alarms: Any, name: str, by_how_much: float
) -> None:
    rule = by.categories[name]
    if rule.remove is None:
        return
    raised = rule.remove + (1 - rule.remove) * by_how_much
    stricter = replace(by, categories={**by.categories, name: replace(rule, remove=raised)})
    before, after = routed(item, by, alarms), routed(item, stricter, alarms)
    if isinstance(after, Decided) and after.action == "remove":
        assert isinstance(before, Decided) and before.action == "remove"


@given(items, policies(), alarm_sets, st.sampled_from(["toxicity", "hate", "spam"]), st.floats(0, 1))
def test_a_lower_allow_threshold_never_allows_more(
    item: ContentClassified, by: Policy, alarms: Any, name: str, share: float
) -> None:
    rule = by.categories[name]
    if rule.allow is None:
        return
    lower = replace(by, categories={**by.categories, name: replace(rule, allow=rule.allow * share)})
    before, after = routed(item, by, alarms), routed(item, lower, alarms)
    if isinstance(after, Decided) and after.action == "allow":
        assert isinstance(before, Decided) and before.action == "allow"


@given(items, policies(), alarm_sets)
def test_with_the_switch_thrown_nothing_is_automatic(
    item: ContentClassified, by: Policy, alarms: Any
) -> None:
    assert isinstance(routed(item, replace(by, automation=False), alarms), Asked)


@given(items, policies(), alarm_sets)
def test_an_alarm_only_takes_decisions_away(item: ContentClassified, by: Policy, alarms: Any) -> None:
    calm, alarmed = routed(item, by), routed(item, by, alarms)
    if isinstance(alarmed, Decided):
        assert isinstance(calm, Decided) and calm.action == alarmed.action
        under = {c for c, model in alarms if model in (MODEL, None)}
        if under & {*by.categories, None}:
            assert HARM[alarmed.action] > 0, "nothing is allowed automatically under an alarm"
            assert alarmed.categories and not under & {*alarmed.categories, None}
