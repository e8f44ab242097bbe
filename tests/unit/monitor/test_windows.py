"""Panes add up to windows, whichever partition and order events came in."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.monitor.core.observing import Observation, Series
from services.monitor.core.windows import (
    Cell,
    Pane,
    Window,
    accumulate,
    closed_windows,
    pane_of,
    summarise,
)

STEP = 1000
RATE = Series("verdicts_per_minute", queue="general")
SHARE = Series("model_against_people", "spam", "m-1@/x")
SIZES = {RATE.measure: STEP, SHARE.measure: 3 * STEP}


def closed(
    panes: dict[Pane, Cell], latest: int, after: dict[Series, int] | None = None, oldest: int = 0
) -> list[Window]:
    return list(closed_windows(panes.items(), SIZES.__getitem__, STEP, after or {}, oldest, latest))


def panes_of(*observed: tuple[int, Observation]) -> dict[Pane, Cell]:
    """Panes of observations, each with its partition, seen when they happened."""
    panes: dict[Pane, Cell] = {}
    for offset, (partition, observation) in enumerate(observed):
        pane = pane_of(observation, partition, STEP)
        panes[pane] = accumulate(panes.get(pane, Cell()), observation, offset, observation.at)
    return panes


def test_a_pane_is_known_again_by_its_key() -> None:
    for series in (RATE, SHARE, Series("labels_per_minute")):
        pane = Pane(3, 1_790_000_000_000, series)
        assert Pane.of(pane.key()) == pane


def test_an_event_that_comes_again_counts_once() -> None:
    first = accumulate(Cell(), Observation(SHARE, 5, 1.0), offset=7, now=10)
    assert accumulate(first, Observation(SHARE, 5, 1.0), offset=7, now=99) is first
    assert accumulate(first, Observation(SHARE, 5, 1.0), offset=3, now=99) is first
    assert accumulate(first, Observation(SHARE, 6, 0.0), offset=8, now=11) == Cell(1.0, 2, 11, 8)


def test_a_tumbling_window_ends_where_the_next_begins() -> None:
    panes = panes_of(
        (0, Observation(RATE, 0, 1)), (0, Observation(RATE, 999, 1)), (1, Observation(RATE, 1000, 1))
    )
    assert [(w.start, w.end, w.cell.count) for w in closed(panes, 5000)] == [(0, 1000, 2), (1000, 2000, 1)]


def test_a_hopping_window_covers_an_event_once_each_step() -> None:
    panes = panes_of((0, Observation(SHARE, 2500, 1.0)), (2, Observation(SHARE, 3100, 0.0)))
    assert [(w.start, w.end, w.share) for w in closed(panes, 9000)] == [
        (0, 3000, 1.0),
        (1000, 4000, 0.5),
        (2000, 5000, 0.5),
        (3000, 6000, 0.0),
    ]


def test_a_window_is_over_when_its_time_is() -> None:
    panes = panes_of((0, Observation(RATE, 500, 1)))
    assert closed(panes, 999) == []
    assert len(closed(panes, 1000)) == 1


def test_a_window_that_is_still_added_to_is_not_over() -> None:
    panes = {Pane(0, 0, RATE): Cell(1, 1, touched=5001, offset=0)}
    assert closed(panes, 5000) == []
    assert len(closed(panes, 5001)) == 1


def test_what_was_published_or_is_too_old_is_not_given_again() -> None:
    panes = panes_of(*((0, Observation(RATE, at, 1)) for at in range(0, 5000, STEP)))
    assert [w.end for w in closed(panes, 9000, after={RATE: 3000})] == [4000, 5000]
    assert [w.end for w in closed(panes, 9000, oldest=4000)] == [5000]


def test_units() -> None:
    rate = Window(RATE, 0, 30_000, Cell(12, 12))
    share = Window(SHARE, 0, 30_000, Cell(3, 12))
    assert rate.value == pytest.approx(24)  # a minute
    assert share.value == pytest.approx(0.25)


def test_measured_again_a_window_has_the_same_id_and_another_has_not() -> None:
    first = summarise(Window(SHARE, 0, 3000, Cell(3, 12)), now=5000)
    assert summarise(Window(SHARE, 0, 3000, Cell(4, 13)), now=9000).event_id == first.event_id
    others = [
        Window(SHARE, 1000, 4000, Cell(3, 12)),
        Window(SHARE._replace(category="hate"), 0, 3000, Cell(3, 12)),
        Window(SHARE._replace(model_version="m2"), 0, 3000, Cell(3, 12)),
        Window(Series("model_against_people", queue="general"), 0, 3000, Cell(3, 12)),
    ]
    ids = {summarise(window, 5000).event_id for window in others}
    assert len(ids | {first.event_id}) == 5
    assert (first.category, first.model_version, first.queue) == ("spam", "m-1@/x", None)


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 20_000), st.booleans()), min_size=1, max_size=60),
    st.randoms(use_true_random=False),
)
def test_windows_are_what_counting_each_event_by_hand_comes_to(
    events: list[tuple[int, int, bool]], random: Random
) -> None:
    shuffled = list(events)
    random.shuffle(shuffled)
    panes = panes_of(*((p, Observation(SHARE, at, float(hit))) for p, at, hit in shuffled))
    windows = closed(panes, 10**6)
    for window in windows:
        inside = [hit for _, at, hit in events if window.start <= at < window.end]
        assert (window.cell.count, window.cell.amount) == (len(inside), sum(inside))
    assert sum(window.cell.count for window in windows) == 3 * len(events)
