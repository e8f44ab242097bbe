"""What other thresholds would have made of last week: the same as routing every item again."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from services.events.types import Score
from services.policy.model import Policy
from services.policy.route import Decided, judge
from services.policy.week import Week, came, counted
from tests.unit.policy.making import policy, scored
from tests.unit.router.making import passed

BOUNDS = (0.1, 0.3, 0.5, 0.9, 0.99)
POLICY = policy()
probability = st.floats(0, 1).filter(lambda p: p not in BOUNDS)  # on a threshold itself a bin says too little
bounds = st.one_of(st.none(), st.sampled_from(BOUNDS))


def week(items: list[tuple[Score, ...]], by: Policy = POLICY) -> Week:
    return Week(BOUNDS, counted(items, by, "toxicity", BOUNDS), fixed=0, elsewhere=0)


def scores(toxicity: float, hate: float, spam: float) -> tuple[Score, ...]:
    return scored(toxicity=toxicity, hate=hate, spam=spam).scores


@given(st.lists(st.tuples(probability, probability, probability), max_size=30), bounds, bounds)
def test_a_week_comes_out_as_its_items_would(
    items: list[tuple[float, float, float]], remove: float | None, allow: float | None
) -> None:
    if remove is not None and allow is not None and allow >= remove:
        allow = None
    found = came(week([scores(*item) for item in items]), POLICY, "toxicity", remove, allow)
    rule = replace(POLICY.categories["toxicity"], remove=remove, allow=allow)
    changed = replace(POLICY, categories={**POLICY.categories, "toxicity": rule})
    outcomes = [judge(passed(scored(t, h, s)), changed) for t, h, s in items]
    decided = [each for each in outcomes if isinstance(each, Decided)]
    assert found.allowed == sum(each.action == "allow" for each in decided)
    assert found.removed == len(decided) - found.allowed
    assert found.own == sum("toxicity" in each.categories for each in decided)
    assert found.people == sum(found.queues.values()) == len(items) - len(decided)
    for queue, n in found.queues.items():
        assert n == sum(not isinstance(each, Decided) and each.queue == queue for each in outcomes)


@given(st.lists(st.tuples(probability, probability, probability), max_size=30))
def test_a_lower_threshold_of_removal_removes_no_less(items: list[tuple[float, float, float]]) -> None:
    own = [came(week([scores(*i) for i in items]), POLICY, "toxicity", each, None).removed for each in BOUNDS]
    assert own == sorted(own, reverse=True)


def test_what_reaches_both_thresholds_is_removed() -> None:
    found = came(week([scores(p, 0, 0) for p in (0.05, 0.4, 0.6, 0.95)]), POLICY, "toxicity", 0.5, 0.9)
    assert (found.removed, found.allowed, found.people) == (2, 2, 0)


def test_an_item_without_the_score_goes_to_people() -> None:
    found = came(week([scores(0, 0, 0)[1:]]), POLICY, "toxicity", 0.9, 0.3)
    assert (found.people, found.allowed, found.own) == (1, 0, 0)


def test_reviews_and_hours_are_a_days_by_the_votes_and_the_pace_of_a_queue() -> None:
    found = came(week([scores(p, 0, 0) for p in np.linspace(0.31, 0.49, 70)]), POLICY, "toxicity", 0.9, 0.3)
    loads = found.loads(POLICY, {"general": 36.0}, days=7)
    assert loads == {"general": (10.0, 20.0, 0.2)}, "general wants two votes"
    assert found.loads(POLICY, {}, days=7)["general"].hours is None
