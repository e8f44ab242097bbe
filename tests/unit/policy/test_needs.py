"""A rule holds where the library says so, and is not asked about where it cannot."""

import cel
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.policy.expressions import check
from services.policy.needs import needs
from services.policy.rules import Rule, Rules, compiled, known
from tests.unit.policy.making import scored
from tests.unit.router.making import passed

NAMES = known(["toxicity", "spam"])
CONDITIONS = (
    "item.reach > 5",
    "item.reach >= 5.0 && scores.spam <= 0.5",
    "5 < item.reach",
    "item.kind != 'post'",
    "author.id in ['anna', \"eve\"]",
    "item.reach in [3, 5]",
    "item.text.contains('a&&b') || item.reach == 5",
    "item.text.contains('a&&b') && item.reach == 5",
    "item.text.startsWith('x') && !(item.reach > 3)",
    "item.text.endsWith('b') && (item.reach > 3 || scores.toxicity > 0.5)",
    "!has(item.language) && item.length < 6",
    "has(item.language) ? item.reach > 3 : item.reach < 3",
    "item.reach > 3 && -item.reach < -4 && item.text != 'it\\'s'",
    "counters.author.items_10m > 1 && author.age_days < 1.0",
    "item.links > 0 && item.links < 2",
    "item.reach > item.length",
)


def rule(number: int, when: str) -> Rule:
    condition = check(when, NAMES)
    return Rule(
        name=f"r{number}",
        effect="review",
        categories=(),
        queue=None,
        severity=1.0,
        condition=condition,
        program=compiled(condition),
    )


@pytest.mark.parametrize(
    ("when", "names"),
    [
        ("item.reach > 5", ["item_reach"]),
        ("item.text.contains('a && b') && item.reach == 5", ["item_text", "item_reach"]),
        ("author.id in ['anna', 'eve'] && (item.reach > 3 || item.reach < 1)", ["author_id"]),
        ("item.reach > 3 || item.kind == 'bio'", []),
        ("item.kind == 'bio' ? true : false", []),
        ("!has(item.language) && 5 < item.reach && item.text == 'it\\'s'", []),
    ],
)
def test_what_is_needed_is_told_from_what_and_ties_together(when: str, names: list[str]) -> None:
    assert [need.name for need in needs(check(when, NAMES))] == names


@given(
    chosen=st.lists(st.sampled_from(CONDITIONS), min_size=1, max_size=8),
    reach=st.none() | st.integers(0, 8),
    kind=st.sampled_from(["post", "bio"]),
    text=st.none() | st.sampled_from(["a&&b", "x", "xb", "it's", "see https://a.example", "HTTPS://b.example http://c"]),
    author=st.none() | st.sampled_from(["anna", "eve", "bert"]),
    counters=st.none() | st.fixed_dictionaries({"author.items_10m": st.integers(0, 3)}),
    spam=st.floats(0, 1),
)  # fmt: skip
def test_the_first_rule_is_the_one_that_the_library_finds(
    chosen: list[str],
    reach: int | None,
    kind: str,
    text: str | None,
    author: str | None,
    counters: dict[str, int] | None,
    spam: float,
) -> None:
    fields = {"kind": kind, "text": text, "reach": reach}
    who = {"author": {"id": author, "created_at": "2026-01-31T11:00:00Z"}} if author else {}
    event = msgspec.structs.replace(
        passed(scored(spam=spam, toxicity=1 - spam)),
        item=msgspec.Raw(msgspec.json.encode(fields | who)),
        accepted_at="2026-01-31T12:00:00.000Z",
    )
    rules = tuple(rule(number, when) for number, when in enumerate(chosen))
    values = {
        "item_reach": reach,
        "item_kind": kind,
        "item_text": text,
        "item_length": len(text or ""),
        "item_links": {"see https://a.example": 1, "HTTPS://b.example http://c": 2}.get(text or "", 0),
        "author_id": author,
        "author_age_days": 1 / 24 if author else None,
        "scores_spam": spam,
        "scores_toxicity": 1 - spam,
        "counters_author_items_10m": counters["author.items_10m"] if counters else None,
        "has_item_language": False,
    }

    def holds(each: Rule) -> bool:
        context = cel.Context()
        context.set_variable_resolver(values.get)
        try:
            return each.program.execute(context) is True
        except (RuntimeError, TypeError, ValueError):
            return False

    assert Rules(rules).first(event, counters) == next((each for each in rules if holds(each)), None)
