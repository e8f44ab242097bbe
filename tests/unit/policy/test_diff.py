"""Differences of policies are told by what they mean."""

from typing import Any

import yaml
from hypothesis import given
from hypothesis import strategies as st

from services.policy.diff import differences
from tests.unit.policy.making import DOCUMENT


def told(**changes: Any) -> list[str]:
    return differences(yaml.safe_dump(DOCUMENT), yaml.safe_dump({**DOCUMENT, **changes}))


def test_layout_comments_order_and_defaults_written_out_are_no_difference() -> None:
    spelt = {**DOCUMENT, "alarms": {}, "categories": {**DOCUMENT["categories"]}}
    spelt["categories"]["hate"] = {"queue": "expert", "severity": 3.0, "remove": 0.8, "allow": 0.2}
    spelt["categories"]["toxicity"] = {
        **DOCUMENT["categories"]["toxicity"],
        "action": "remove",
        "queue": "general",
    }
    text = "# why\n" + yaml.safe_dump(dict(reversed(spelt.items())), sort_keys=False, default_flow_style=True)
    assert differences(yaml.safe_dump(DOCUMENT), text) == []


def test_the_switch_thresholds_categories_and_queues_are_told_in_a_line_each() -> None:
    categories = {
        "toxicity": {"remove": 0.95, "allow": 0.3, "severity": 2},
        "hate": {"remove": 0.8, "allow": 0.1, "severity": 3, "queue": "expert"},
        "threat": {"severity": 5},
    }
    queues = {**DOCUMENT["queues"], "general": {**DOCUMENT["queues"]["general"], "votes": 3}}
    assert sorted(told(automation=False, categories=categories, queues=queues)) == [
        "automation: on → off (everything goes to people)",
        "category hate allow: 0.2 → 0.1 (machines allow less)",
        "category spam: taken out, was action limit, queue general, allow 0.3, remove 0.9, severity 1",
        "category threat: added, action remove, queue general, severity 5",
        "category toxicity remove: 0.9 → 0.95 (machines act on less)",
        "queue general votes: 2 → 3",
    ]


def test_rules_are_told_by_name_and_by_order() -> None:
    one, two = {"name": "one", "when": "a"}, {"name": "two", "when": "b"}
    before = yaml.safe_dump({**DOCUMENT, "rules": [one, two]})
    after = yaml.safe_dump({**DOCUMENT, "rules": [two, {**one, "when": "c"}]})
    assert differences(before, after) == ["rule one when: a → c", "rules: another order: two, one"]


@given(st.floats(0.31, 1), st.floats(0.31, 1))
def test_a_threshold_is_told_exactly_where_it_differs(one: float, other: float) -> None:
    def document(remove: float) -> str:
        changed = {**DOCUMENT["categories"]["toxicity"], "remove": remove}
        return yaml.safe_dump({**DOCUMENT, "categories": {**DOCUMENT["categories"], "toxicity": changed}})

    assert bool(differences(document(one), document(other))) == (one != other)
