"""A budget is not overdrawn, goes to what is worth most, and comes to the same when a batch is handled again."""

import random
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from services.events.codec import encode
from services.events.types import ContentDecided, Item
from services.policy.spending import Spending, at, bin_of, edge, room
from services.router.core.items import Requested
from services.runtime.records import Outgoing, Record
from tests.unit.policy.making import scored
from tests.unit.router.making import NOW
from tests.unit.router.test_caps import Worker

MINUTE, HOUR = 60_000, 3_600_000


def batch(reaches: list[int], offset: int = 0, when: int = NOW) -> list[Record]:
    base = "content.classified"
    return [
        Record(
            base,
            base,
            0,
            number,
            f"demo/{number}".encode(),
            encode(scored(toxicity=0.5, item_id=str(number), item=Item(kind="post", reach=reach))),
            when,
        )
        for number, reach in enumerate(reaches, offset)
    ]


def handle(worker: Worker, records: list[Record], commit: bool = True) -> list[Any]:
    effects = [e.event for e in worker.stage.handle(records, worker.states, NOW) if isinstance(e, Outgoing)]
    if not commit:
        worker.states.drop()
        return effects
    for _, key, state in worker.states.staged():
        if state is not None:
            worker.changelog[key] = worker.stage.encode_state(state)
    worker.states.apply()
    return effects


def asked(events: list[Any]) -> list[Requested]:
    return [event for event in events if isinstance(event, Requested)]


def fell_back(events: list[Any]) -> list[ContentDecided]:
    return [e for e in events if isinstance(e, ContentDecided) and e.basis == "fallback"]


def test_the_hour_is_not_overdrawn_and_every_item_has_one_outcome() -> None:
    worker, offset, hours = Worker(budget={"reviews_per_hour": 120}), 0, dict[int, int]()
    chance = random.Random(1)
    for minute in range(90):
        when = NOW + minute * MINUTE
        events = handle(worker, batch([chance.randrange(1, 10_000) for _ in range(20)], offset, when))
        offset += 20
        assert len(asked(events)) + len(fell_back(events)) == 20
        assert all(event.final and event.decision_seq == 0 for event in fell_back(events))
        hours[when // HOUR] = hours.get(when // HOUR, 0) + len(asked(events))
    assert all(count <= 120 for count in hours.values())
    assert hours[NOW // HOUR] >= 100, "nor is it left unspent"


def test_people_see_what_is_worth_most() -> None:
    worker, chance, offset = Worker(budget={"reviews_per_hour": 300}), random.Random(2), 0
    seen: list[int] = []
    spared: list[int] = []
    for minute in range(50):
        reaches = [chance.randrange(1, 10_000) for _ in range(50)]
        events = handle(worker, batch(reaches, offset, NOW + minute * MINUTE))
        if minute >= 10:
            seen += [reaches[int(e.item_id) - offset] for e in asked(events)]
            spared += [reaches[int(e.item_id) - offset] for e in fell_back(events)]
            for task in asked(events):
                assert 0 < task.selection.probability <= 1 and task.selection.reason == "uncertain"
        offset += 50
    assert 0.06 < len(seen) / 2000 < 0.14, "five of fifty a minute"
    assert min(seen) > 7000 and sorted(spared)[len(spared) // 2] < 6000
    assert max(spared) < 9900, "the best are never left out"


def test_the_share_at_the_margin_is_drawn_as_it_says() -> None:
    rates = {bin_of(100.0): 40.0, bin_of(10.0): 100.0}
    state = Spending(minute=NOW // MINUTE - 1, limit=10**6, before=rates, weight=1.0)
    after = at(state, 60 * 40, 0, 1, NOW)  # an hour begins
    budget = room(after)
    assert budget is not None and budget.threshold == edge(bin_of(10.0))
    assert budget.threshold <= 10.0 < (budget.margin or 0) < 100.0
    rate = {bin: n / after.weight for bin, n in after.before.items()}
    spends = rate[bin_of(100.0)] + budget.probability * rate[bin_of(10.0)]
    assert abs(spends - 40) < 1e-6


def test_a_batch_that_is_handled_again_comes_to_the_same() -> None:
    worker, once = Worker(budget={"reviews_per_hour": 30}), Worker(budget={"reviews_per_hour": 30})
    chance, offset = random.Random(3), 0
    for minute in range(20):
        records = batch([chance.randrange(1, 1000) for _ in range(10)], offset, NOW + minute * MINUTE)
        first = handle(worker, records, commit=False)
        worker.restart()
        again = handle(worker, records)
        assert [e.event_id for e in again] == [e.event_id for e in first]
        assert again == first == handle(once, records)
        offset += 10


@settings(max_examples=50)
@given(st.lists(st.integers(0, 10**12), max_size=30), st.integers(0, 40), st.sampled_from([0.0, 0.5, 0.99]))
def test_with_the_switch_thrown_people_get_everything(
    reaches: list[int], budget: int, toxicity: float
) -> None:
    worker = Worker(budget={"reviews_per_hour": budget}, automation=False)
    events = handle(worker, batch(reaches))
    assert len(asked(events)) == len(reaches) and fell_back(events) == []


def test_without_a_budget_nothing_is_kept_or_recorded() -> None:
    worker = Worker()
    events = handle(worker, batch([5, 6]))
    assert len(asked(events)) == 2 and b"#shard" not in worker.changelog
    assert all(e.circumstances.budget is None for e in events if isinstance(e, ContentDecided))


def test_bins_hold_their_values() -> None:
    for value in (0.001, 0.5, 1.0, 3.0, 1e12):
        assert edge(bin_of(value)) <= value * (1 + 1e-12) and value < edge(bin_of(value) + 1)
    assert edge(bin_of(0.0)) == 0.0


def test_spending_survives_its_changelog() -> None:
    worker = Worker(budget={"reviews_per_hour": 30})
    handle(worker, batch([1, 2, 3]))
    raw = worker.changelog[b"#shard"]
    state = worker.stage.decode_state(raw)
    assert worker.stage.encode_state(state) == raw and msgspec.json.decode(raw)["spending"]["taken"] == 3
