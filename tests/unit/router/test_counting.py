"""What counters count, held against counting one by one."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from services.events.types import ContentDecided, ContentReported, Item
from services.policy.counters import COUNTERS, What
from services.policy.facts import Facts
from services.router.core.classifying import classify
from services.router.core.counting import PLACES, Happening, Tally, alike, arrived, counted_as
from services.router.core.items import Requested
from tests.unit.policy.making import NOT_AUDITED, scored
from tests.unit.router.making import NOW, POLICY, passed

BY_ANNA = b'{"kind":"post","author":{"id":"anna"}}'


@given(
    st.lists(st.tuples(st.integers(0, 3 * 3_600_000), st.sampled_from(["anna", "eve", None])), max_size=30),
    st.sampled_from(["author.items_10m", "author.items_1h", "source.items_1h"]),
)
def test_a_window_holds_all_within_its_length_and_at_most_one_bucket_more(
    came: list[tuple[int, str | None]], name: str
) -> None:
    counter = COUNTERS[name]
    tally = Tally([counter])
    happened = [Happening("items", NOW + at, ("demo", author, None)) for at, author in came]
    for each in happened:
        tally.add(each)
    length = counter.window.bucket_ms * counter.window.buckets
    for now in happened:
        subject = now.whose[PLACES[counter.subject]]
        if subject is None:
            continue
        same = [h.at for h in happened if h.whose[PLACES[counter.subject]] == subject and h.at <= now.at]
        later = [h.at for h in happened if h.whose[PLACES[counter.subject]] == subject and h.at > now.at]
        found = tally.within(counter, counter.window.bucket(now.at), subject)
        in_hand = sum(at // counter.window.bucket_ms == now.at // counter.window.bucket_ms for at in later)
        at_least = sum(at > now.at - length for at in same) + in_hand
        at_most = sum(at > now.at - length - counter.window.bucket_ms for at in same) + in_hand
        assert at_least <= found <= at_most


def test_what_counts_for_nothing_is_left_out() -> None:
    item = passed(scored(toxicity=0.5))
    assert arrived(item, NOW) == Happening("items", NOW, ("demo", None, "a" * 32))
    by_anna = replace(item, item=msgspec.Raw(BY_ANNA), text_hash=None)
    assert arrived(by_anna, NOW) == Happening("items", NOW, ("demo", "demo/anna", None))
    odd = replace(item, item=msgspec.Raw(b'{"author":7}'))
    for nothing in (
        replace(item, withdrawn=True),
        replace(item, tier="slow"),
        odd,
        replace(by_anna, item=odd.item),
    ):
        assert arrived(nothing, NOW) is None


def test_a_report_counts_for_the_author_of_what_is_reported() -> None:
    report = ContentReported(
        event_id="0" * 32,
        occurred_at="2026-01-31T12:00:00.000Z",
        source="demo",
        item_id="1",
        revision=1,
        reporter="eve",
        item=msgspec.json.decode(BY_ANNA, type=Item),
    )
    assert arrived(report, NOW) == Happening("reports", NOW, ("demo", "demo/anna", None))


@given(
    st.lists(
        st.tuples(
            st.integers(0, 3 * 3_600_000),
            st.sampled_from(["anna", "eve", None]),
            st.sampled_from(["items", "reports", "removals"]),
        ),
        max_size=30,
    )
)
def test_all_at_once_come_to_the_same_as_one_by_one(came: list[tuple[int, str | None, What]]) -> None:
    followed = list(COUNTERS.values())
    happened = [Happening(what, NOW + at, ("demo", author, "a" * 32)) for at, author, what in came]
    one_by_one, at_once = Tally(followed), Tally(followed)
    for each in happened:
        one_by_one.add(each)
    at_once.add_all(alike(happened))
    found = [
        {(name, bucket): counts for name, bucket, _, counts in t.adds() if counts}
        for t in (one_by_one, at_once)
    ]
    assert found[0] == found[1]
    assert bool(at_once) == bool(one_by_one) == bool(happened)


def test_removals_and_first_questions_count() -> None:
    for probability, what in ((0.99, "removals"), (0.5, "reviews"), (0.0, None)):
        item = passed(scored(toxicity=probability))
        events = classify(item, None, POLICY, Facts(draw=NOT_AUDITED), NOW).events
        found = [counted_as(event) for event in events if isinstance(event, ContentDecided | Requested)]
        assert [each for each in found if each] == ([what] if what else [])
