"""Properties of any policy with everything in it: thresholds, lists, rules, counters, caps, budget, alarms, audits,
copies.
"""

from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from services.events.types import ContentDecided, Listed, Precedent
from services.policy.draw import draw
from services.policy.facts import Budget, Facts
from services.policy.model import Policy
from services.policy.route import HARM, Asked, Decided, route
from services.router.core import classify
from services.router.core.items import Classified, Requested
from tests.unit.policy.making import policy, scored
from tests.unit.policy.test_route import alarm_sets, probabilities
from tests.unit.router.making import NOW, passed

CONDITIONS = (
    "item.reach > 100",
    "scores.spam > 0.5 && scores.hate < 0.9",
    "counters.author.items_10m > 3",
    "!has(item.reach)",
    "100 / item.reach > 2 || counters.text.removals_7d > 0",
    "item.text.contains('x')",
)
rules = st.fixed_dictionaries(
    {
        "when": st.sampled_from(CONDITIONS),
        "then": st.sampled_from(["allow", "limit", "remove", "review"]),
    },
    optional={"category": st.sampled_from(["toxicity", "hate", "spam"])},
)

lists = st.fixed_dictionaries(
    {"then": st.sampled_from(["allow", "limit", "remove", "review"])},
    optional={"category": st.sampled_from(["toxicity", "hate", "spam"])},
)


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    """Any policy."""
    categories = {}
    for name in ("toxicity", "hate", "spam"):
        low, high = sorted(draw(st.lists(st.floats(0.01, 0.99), min_size=2, max_size=2, unique=True)))
        categories[name] = {
            "severity": draw(st.integers(0, 5)),
            "action": draw(st.sampled_from(["remove", "limit"])),
            "copies": draw(st.booleans()),
            **({"remove": high} if draw(st.booleans()) else {}),
            **({"allow": low} if draw(st.booleans()) else {}),
        }
    changes: dict[str, Any] = {
        "categories": categories,
        "rules": [{"name": f"r{n}", **rule} for n, rule in enumerate(draw(st.lists(rules, max_size=3)))],
        "lists": [{"name": f"l{n}", **of} for n, of in enumerate(draw(st.lists(lists, max_size=2)))],
        "fallback": draw(st.sampled_from(["allow", "remove"])),
        "while_pending": draw(st.sampled_from(["publish", "hold"])),
    }
    changes["copies"] = draw(st.booleans())
    if draw(st.booleans()):
        changes["budget"] = {"reviews_per_hour": 10}
    return policy(**changes)


@st.composite
def items(draw: st.DrawFn) -> Classified:
    """Any item."""
    item = passed(scored(draw(probabilities), draw(probabilities), draw(probabilities)))
    fields = draw(
        st.fixed_dictionaries(
            {"kind": st.just("post")},
            optional={"text": st.sampled_from(["", "x"]), "reach": st.integers(0, 10**6)},
        )
    )
    return replace(item, item=msgspec.Raw(msgspec.json.encode(fields)))


unit = st.floats(0, 1, exclude_max=True)
budgets = st.none() | st.builds(
    lambda low, width, share: Budget(threshold=low, margin=low * width, probability=share),
    st.floats(0, 1e6),
    st.floats(1, 10),
    unit,
) | st.just(Budget(threshold=None, margin=None, probability=0.0))  # fmt: skip
counted = st.fixed_dictionaries(
    {}, optional={"author.items_10m": st.integers(0, 9), "text.removals_7d": st.integers(0, 2)}
)
facts = st.builds(
    Facts,
    alarms=alarm_sets,
    draw=unit,
    counters=st.none() | counted,
    capped=st.frozensets(st.sampled_from(["allow", "limit", "remove"])),
    listed=st.lists(st.sampled_from(["l0", "l1"]), unique=True).map(
        lambda names: tuple(Listed(name=name, version="0123abcd") for name in names)
    ),
    budget=budgets,
    budget_draw=unit,
    precedent=st.none()
    | st.builds(
        Precedent,
        decision=st.just("demo/post-0@1.1"),
        action=st.sampled_from(["allow", "limit", "remove", "hold"]),
        categories=st.lists(st.sampled_from(["toxicity", "hate", "unknown"]), max_size=2).map(tuple),
    ),
)


@settings(max_examples=200)
@given(items(), policies(), facts)
def test_exactly_one_outcome_and_always_the_same(item: Classified, by: Policy, seen: Facts) -> None:
    step = classify(item, None, by, seen, NOW)
    assert step == classify(item, None, by, seen, NOW)
    asked = [e for e in step.events if isinstance(e, Requested) and e.purpose == "decision"]
    final = [e for e in step.events if isinstance(e, ContentDecided) and e.final]
    assert len(asked) + len(final) == 1
    for request in (e for e in step.events if isinstance(e, Requested)):
        assert request.selection.reason and 0 < request.selection.probability <= 1
        assert request.queue in by.queues


@settings(max_examples=200)
@given(items(), policies(), facts, st.sampled_from(["toxicity", "hate", "spam"]), unit)
def test_a_stricter_threshold_never_removes_more(
    item: Classified, by: Policy, seen: Facts, name: str, by_how_much: float
) -> None:
    rule = by.categories[name]
    by = replace(by, fallback="allow")  # else what people have no time for is removed, as the policy says
    if rule.remove is None:
        return
    raised = replace(rule, remove=rule.remove + (1 - rule.remove) * by_how_much)
    stricter = route(item, replace(by, categories={**by.categories, name: raised}), seen)
    if isinstance(stricter, Decided) and stricter.action == "remove":
        before = route(item, by, seen)
        assert isinstance(before, Decided) and before.action == "remove"


@settings(max_examples=200)
@given(items(), policies(), facts)
def test_with_the_switch_thrown_or_every_cap_reached_nothing_is_automatic_and_nothing_lost(
    item: Classified, by: Policy, seen: Facts
) -> None:
    for policy_, facts_ in (
        (replace(by, automation=False), seen),
        (by, replace(seen, capped=frozenset(HARM))),
    ):
        step = classify(item, None, policy_, facts_, NOW)
        assert [e.purpose for e in step.events if isinstance(e, Requested)] == ["decision"]
        assert not [e for e in step.events if isinstance(e, ContentDecided) and e.final]
        assert step.state is not None and step.state.task is not None


@settings(max_examples=100)
@given(items(), policies(), facts)
def test_less_time_never_asks_about_more(item: Classified, by: Policy, seen: Facts) -> None:
    free = route(item, by, replace(seen, budget=None))
    short = route(item, by, seen)
    if isinstance(short, Asked):
        assert isinstance(free, Asked)
    elif isinstance(free, Asked):
        assert short.basis == "fallback" and short.action == by.fallback


@given(st.text("abc/", min_size=1, max_size=20), st.sampled_from(["audit", "budget"]))
def test_an_item_has_one_draw_for_a_purpose(key: str, purpose: str) -> None:
    assert draw(b"salt", purpose, key) == draw(b"salt", purpose, key) != draw(b"pepper", purpose, key)
    assert draw(b"salt", "audit", key) != draw(b"salt", "budget", key)
