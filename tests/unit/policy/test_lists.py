"""Lists of a policy decide after people and before rules, and are refused where they are wrong."""

from typing import Any

import msgspec
import pytest
import yaml

from services.events.types import Listed, Precedent
from services.policy.diff import differences
from services.policy.errors import InvalidPolicy
from services.policy.facts import Facts
from services.policy.parse import parse
from services.policy.route import Asked, Decided, Outcome, circumstances, route
from tests.unit.policy.making import AUDITED, DOCUMENT, MODEL, NOT_AUDITED, QUEUES, policy, scored
from tests.unit.router.making import passed

LISTS: list[dict[str, Any]] = [
    {"name": "known-spam", "then": "remove", "category": "spam"},
    {"name": "greetings", "then": "allow"},
    {"name": "threats", "then": "review", "category": "hate"},
    {"name": "rumours", "then": "limit"},
]
RULES = [{"name": "all", "when": "true", "then": "limit"}]


def on(*names: str) -> tuple[Listed, ...]:
    return tuple(Listed(name=name, version="0123abcd") for name in names)


def routed(
    *names: str,
    draw: float = NOT_AUDITED,
    facts: dict[str, Any] | None = None,
    media: bool = False,
    **changes: Any,
) -> Outcome:
    item = passed(scored(toxicity=0.95))
    if media:
        item = msgspec.structs.replace(
            item, item=msgspec.Raw(b'{"kind":"post","text":"a","media":[{"url":"x"}]}')
        )
    by = policy(**({"lists": LISTS, "rules": RULES} | changes))
    seen = Facts(draw=draw, listed=on(*names), **(facts or {}))
    outcome = route(item, by, seen)
    recorded = circumstances(item, by, seen, outcome).listed
    assert recorded == on(*(name for name in names if name != "of-another-policy"))
    return outcome


def test_a_list_decides_before_rules_and_scores() -> None:
    assert routed("known-spam") == Decided(
        action="remove", categories=("spam",), rule="list known-spam", basis="rule"
    )
    assert routed("greetings") == Decided(action="allow", categories=(), rule="list greetings", basis="rule")
    assert routed("threats") == Asked(queue="expert", categories=("hate",), reason="rule", severity=3.0)
    assert routed() == Decided(action="limit", categories=(), rule="rule all", basis="rule")
    assert routed("of-another-policy") == routed()


def test_of_several_the_first_in_the_policy_decides() -> None:
    assert routed("greetings", "known-spam") == routed("known-spam")
    assert routed("greetings", "known-spam", lists=LISTS[1::-1]) == routed("greetings")


def test_a_list_that_allows_does_not_speak_for_media() -> None:
    assert routed("greetings", media=True) == routed()
    assert routed("greetings", "rumours", media=True) == routed("rumours")
    assert routed("known-spam", media=True) == routed("known-spam")


def test_what_people_decided_on_a_copy_comes_first_unless_the_category_keeps_to_the_item() -> None:
    precedent = Precedent(decision="demo/post-0@1.1", action="allow", categories=())
    found = routed("known-spam", facts={"precedent": precedent})
    assert isinstance(found, Decided) and (found.action, found.basis) == ("allow", "duplicate")
    keeping = {**DOCUMENT["categories"], "spam": {**DOCUMENT["categories"]["spam"], "copies": False}}
    assert routed("known-spam", facts={"precedent": precedent}, categories=keeping) == routed("known-spam")


def test_the_switch_caps_and_audits_hold_for_lists_and_alarms_do_not() -> None:
    off = routed("known-spam", automation=False)
    assert isinstance(off, Asked) and off.reason == "automation_off"
    capped = routed("known-spam", facts={"capped": frozenset({"remove"})})
    assert isinstance(capped, Asked) and capped.reason == "capped"
    audited = routed("known-spam", draw=AUDITED)
    assert isinstance(audited, Decided) and audited.audited is not None and audited.audited.probability == 0.1
    alarmed = routed("known-spam", facts={"alarms": frozenset({(None, MODEL)})})
    assert alarmed == routed("known-spam"), "it rests on no score"


@pytest.mark.parametrize(
    ("given", "at", "what"),
    [
        ("{name: a, then: hang}", "hang", "'hang' is not one of"),
        ("{name: ../a, then: allow}", "../a", "does not match"),
        ("{name: a, then: remove, category: rudeness}", "rudeness", "unknown category `rudeness`"),
        ("{name: a, then: review, queue: nobody}", "nobody", "unknown queue `nobody`"),
        ("{name: a, file: x, then: allow}", "file", "unknown key `file`"),
    ],
)
def test_a_bad_list_is_refused_with_line_and_column(given: str, at: str, what: str) -> None:
    text = yaml.safe_dump(DOCUMENT) + f"lists:\n  - {given}\n"
    with pytest.raises(InvalidPolicy) as refused:
        parse(text, QUEUES)
    (problem,) = refused.value.problems
    assert what in problem.what
    assert (problem.line, problem.column) == (text.count("\n"), 5 + given.index(at))


def test_two_lists_of_one_name_are_refused() -> None:
    with pytest.raises(InvalidPolicy, match="list `known-spam` is here twice"):
        policy(lists=[LISTS[0], {**LISTS[0], "then": "allow"}])


def test_what_changes_of_a_list_is_told() -> None:
    before, after = DOCUMENT | {"lists": LISTS[:2]}, DOCUMENT | {"lists": [{**LISTS[0], "then": "limit"}]}
    assert differences(yaml.safe_dump(before), yaml.safe_dump(after)) == [
        "list known-spam then: remove → limit",
        "list greetings: taken out, was name greetings, then allow",
    ]
