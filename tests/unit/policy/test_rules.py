"""Rules of a policy decide before thresholds do, and are refused where they are wrong."""

from typing import Any

import msgspec
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from services.policy.errors import InvalidPolicy
from services.policy.facts import Facts
from services.policy.model import Policy
from services.policy.parse import parse
from services.policy.route import Asked, Decided, Outcome, circumstances, route
from tests.unit.policy.making import DOCUMENT, MODEL, NOT_AUDITED, QUEUES, policy, scored
from tests.unit.router.making import passed

RULES: list[dict[str, Any]] = [
    {"name": "trusted", "when": "author.id in ['anna', 'bert']", "then": "allow"},
    {"name": "new-links", "when": "author.age_days < 1.0 && item.links > 1", "then": "remove", "category": "spam"},
    {"name": "wide", "when": "item.reach > 1000 && scores.hate > 0.1", "then": "review", "category": "hate"},
    {"name": "no-language", "when": "!has(item.language) && item.kind == 'bio'", "then": "review", "queue": "general"},
]  # fmt: skip
WITH_RULES = policy(rules=RULES)


def routed(
    fields: dict[str, Any], by: Policy = WITH_RULES, alarms: Any = frozenset(), **scores: Any
) -> Outcome:
    event = passed(scored(**scores))
    item = msgspec.Raw(msgspec.json.encode({"kind": "post", "text": "a post", **fields}))
    event = msgspec.structs.replace(event, item=item, accepted_at="2026-01-31T12:00:00.000Z")
    return route(event, by, Facts(draw=NOT_AUDITED, alarms=alarms))


def test_the_first_rule_that_holds_decides_before_thresholds() -> None:
    young = {"id": "anna", "created_at": "2026-01-31T11:00:00Z"}
    links = "see https://a.example and HTTP://b.example"
    assert routed({"author": young, "text": links}, hate=0.99) == Decided(
        action="allow", categories=(), rule="rule trusted", basis="rule"
    )
    assert routed({"author": {**young, "id": "eve"}, "text": links}) == Decided(
        action="remove", categories=("spam",), rule="rule new-links", basis="rule"
    )
    assert routed({"reach": 1001}, hate=0.15) == Asked(
        queue="expert", categories=("hate",), reason="rule", severity=3.0
    )
    assert isinstance(routed({"kind": "bio"}), Asked) and isinstance(
        routed({"kind": "bio", "language": "en"}), Decided
    )


def test_a_value_that_is_missing_makes_a_rule_not_hold() -> None:
    assert routed({"text": "https://a.example https://b.example"}) == routed({}), "no author, so no age"
    assert routed({}, hate=0.15) == routed({}, by=policy(), hate=0.15), "no reach"
    no_day = {"id": "eve", "created_at": "2026-02-30T00:00:00Z"}
    assert routed({"author": no_day, "text": "https://a.example https://b.example"}) == routed({}), (
        "no such day"
    )


def test_the_switch_a_cap_and_alarms_hold_for_rules_too() -> None:
    trusted = {"author": {"id": "anna"}}
    assert isinstance(routed(trusted, by=policy(rules=RULES, automation=False)), Asked)
    event = msgspec.structs.replace(
        passed(scored()), item=msgspec.Raw(b'{"kind":"x","author":{"id":"anna"}}')
    )
    capped = route(event, WITH_RULES, Facts(draw=NOT_AUDITED, capped=frozenset({"allow"})))
    assert isinstance(capped, Asked) and capped.reason == "capped"
    assert isinstance(routed(trusted, alarms=frozenset({(None, None)})), Decided), "it rests on no score"
    by = policy(rules=[{"name": "sure", "when": "scores.spam < 0.5", "then": "allow"}])
    assert isinstance(routed({}, by=by, alarms=frozenset({("spam", MODEL)})), Asked)


COUNTING = [
    {"name": "burst", "when": "counters.author.items_10m > 3", "then": "limit"},
    {"name": "first", "when": "!has(counters.author.items_7d) && item.kind == 'bio'", "then": "remove"},
]


def test_counters_decide_where_they_are_to_be_had() -> None:
    by = policy(rules=COUNTING, counters=["source.items_1h"])
    assert by.counters == ("author.items_10m", "author.items_7d", "source.items_1h")

    def ruled(counters: dict[str, int] | None, kind: str = "post") -> str:
        item = msgspec.structs.replace(passed(scored()), item=msgspec.Raw(f'{{"kind":"{kind}"}}'.encode()))
        facts = Facts(draw=NOT_AUDITED, counters=counters)
        outcome = route(item, by, facts)
        assert circumstances(item, by, facts, outcome).counters == counters
        return outcome.rule if isinstance(outcome, Decided) else "asked"

    assert ruled({"author.items_10m": 4}) == "rule burst"
    assert ruled({"author.items_10m": 3}).startswith("every category")
    assert ruled(None).startswith("every category") and ruled({}).startswith("every category")
    assert ruled({"author.items_10m": 4}, "bio") == "rule burst" and ruled(None, "bio") == "rule first"


def test_a_counter_that_there_is_not_is_refused() -> None:
    text = yaml.safe_dump(DOCUMENT) + "counters:\n  - author.items_10m\n  - author.items_10h\n"
    with pytest.raises(
        InvalidPolicy, match=r"unknown counter `author\.items_10h`: there are author\.items_10m"
    ) as no:
        parse(text, QUEUES)
    assert [(p.line, p.column) for p in no.value.problems] == [(text.count("\n"), 5)]


HOLDS = st.sampled_from(["true", "false", "author.age_days > 0.0", "1 / item.media > 0", "item.reach > 7"])


@given(st.lists(HOLDS, min_size=1, max_size=8), st.booleans())
def test_the_first_rule_that_holds_is_found_whatever_others_lack(conditions: list[str], reach: bool) -> None:
    rules = [{"name": f"r{n}", "when": when, "then": "limit"} for n, when in enumerate(conditions)]
    found = routed({"reach": 9} if reach else {}, policy(rules=rules))
    holds = [n for n, when in enumerate(conditions) if when == "true" or (reach and "reach" in when)]
    wanted = f"rule r{holds[0]}" if holds else "every category at or below its allow threshold"
    assert isinstance(found, Decided) and found.rule == wanted


@pytest.mark.parametrize(
    ("rule", "at", "what"),
    [
        ("{name: a, when: scores.spam > 'x', then: allow}", ">", "does not go with double and string"),
        ("{name: a, when: 'scores.sapm > 0.5', then: allow}", "scores.sapm", "`scores.sapm` does not exist"),
        (
            "{name: a, when: counters.author.items_5m > 1, then: allow}",
            "counters.author.items_5m",
            "`counters.author.items_5m` does not exist: a rule may use counters.author.items_10m, ",
        ),
        (
            "{name: a, when: counters.text.items_1h > 1.0 + 1, then: allow}",
            "+ 1",
            "does not go with double and int",
        ),
        (
            "{name: a, when: counters.author > 1, then: allow}",
            "counters.author",
            "`counters.author` does not exist",
        ),
        ("{name: a, when: '[1].all(x, x > 0)', then: allow}", "all", "`.all` of list(int) does not exist"),
        ("{name: a, when: item.text, then: allow}", "item.text", "true or false"),
        (
            "{name: a, when: 'true', then: allow, category: rudeness}",
            "rudeness",
            "unknown category `rudeness`",
        ),
        ("{name: a, when: 'true', then: review, queue: nobody}", "nobody", "unknown queue `nobody`"),
        ("{name: a, when: 'true', then: hang}", "hang", "'hang' is not one of"),
    ],
)
def test_a_bad_rule_is_refused_with_line_and_column(rule: str, at: str, what: str) -> None:
    text = yaml.safe_dump(DOCUMENT) + f"rules:\n  - {rule}\n"
    with pytest.raises(InvalidPolicy) as refused:
        parse(text, QUEUES)
    (problem,) = refused.value.problems
    assert what in problem.what
    assert (problem.line, problem.column) == (text.count("\n"), 5 + rule.index(at))


def test_two_rules_of_one_name_are_refused() -> None:
    with pytest.raises(InvalidPolicy, match="twice"):
        policy(rules=[RULES[0], dict(RULES[0], when=" true")])


fields = st.fixed_dictionaries(
    {"kind": st.sampled_from(["post", "bio"])},
    optional={
        "text": st.text(max_size=40) | st.just("http://x http://y"),
        "language": st.just("en"),
        "reach": st.integers(0, 5000),
        "author": st.fixed_dictionaries(
            {"id": st.sampled_from(["anna", "eve"])},
            optional={"created_at": st.sampled_from(["2026-01-31T11:00:00Z", "2020-01-01T00:00:00Z"])},
        ),
    },
)


@given(fields, st.floats(0, 1), st.floats(0, 1), st.booleans())
def test_there_is_one_outcome_and_always_the_same(
    item: dict[str, Any], hate: float, spam: float, on: bool
) -> None:
    by = policy(rules=RULES, automation=on)
    outcome = routed(item, by, hate=hate, spam=spam)
    assert isinstance(outcome, Decided | Asked) and outcome == routed(item, by, hate=hate, spam=spam)
    assert on or isinstance(outcome, Asked)
