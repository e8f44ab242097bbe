"""Conditions of rules are checked before anything evaluates them."""

import pytest

from services.policy.expressions import ITEM, MAX_CHARACTERS, InvalidCondition, Type, check

KNOWN: dict[str, Type] = {**ITEM, "scores.spam": "double", "counters.author_items_1h": "int"}


def test_a_condition_becomes_flat() -> None:
    found = check("scores.spam > 0.5 && item.text.contains('a.b') // why", KNOWN)
    assert found.flat == "scores_spam > 0.5 && item_text . contains ( 'a.b' )"
    assert found.names == {"scores_spam": "scores.spam", "item_text": "item.text"}
    assert check("!has(item.reach)", KNOWN).flat == "! has_item_reach"


@pytest.mark.parametrize(
    ("text", "at", "what"),
    [
        ("item.kind == 'x' && scores.spam > 'a'", 32, "`>` does not go with double and string"),
        ("foo > 1", 0, "`foo` does not exist"),
        ("item.text.matches('(a+)+$')", 10, "`.matches` of string does not exist"),
        ("[1].exists(x, x > 0)", 4, "`.exists` of list(int) does not exist"),
        ("item.reach * scores.spam > 1.0", 11, "write double(…)"),
        ("item.kind", 0, "true or false"),
        ("item.reach >", 12, "the end"),
        ("item.reach == null", 14, "`null` does not exist"),
        ("item.kind == 'x' )", 17, "not expected"),
        ("item.kind == 'x", 13, "no CEL"),
        ("(" * 1000 + "true", 31, "deep"),
        ("!" * 1000 + "true", 31, "deep"),
        ("true" + " " * MAX_CHARACTERS, 0, "at most"),
    ],
)
def test_what_is_no_condition_is_refused_where_it_is_wrong(text: str, at: int, what: str) -> None:
    with pytest.raises(InvalidCondition) as refused:
        check(text, KNOWN)
    assert what in refused.value.what and refused.value.at == at
