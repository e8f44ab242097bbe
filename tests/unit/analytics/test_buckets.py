"""Series for charts."""

from services.analytics.core.buckets import Buckets, buckets, by_name, mean, per_minute, share


def test_every_span_has_a_readable_number_of_buckets_up_to_now() -> None:
    for minutes in (5, 15, 60, 360, 1440, 10_080, 43_200):
        where = buckets(1_790_000_123, minutes)
        assert 25 <= where.count <= 125
        assert where.starts[-1] <= 1_790_000_123 < where.ends[-1]
        assert where.start % where.step == 0


def test_a_series_has_a_value_for_each_bucket() -> None:
    where = Buckets(100, 10, 3)
    assert where.series([(110, 5), (900, 1)], 0) == [0, 5, 0]
    assert where.series([(120, 5)]) == [None, None, 5]


def test_what_is_too_many_becomes_one() -> None:
    rows = [(100, f"m{n}", n) for n in range(1, 8)]
    stacked = by_name(rows, Buckets(100, 10, 1), most=2, rest="others")
    assert {each["name"]: each["values"] for each in stacked} == {"m7": [7], "m6": [6], "others": [15]}


def test_no_share_of_nothing() -> None:
    assert share([1, 0, 0], [4, 2, 0]) == [25.0, 0.0, None]


def test_the_minute_that_runs_is_measured_by_what_is_over_of_it() -> None:
    where = Buckets(0, 60, 2)
    assert per_minute([30, 30], where, now=90) == [30, 60]
    assert per_minute([30, 30], where, now=62) == [30, None]


def test_a_mean_goes_by_weight() -> None:
    assert mean([(100.0, 1), (0.0, 3), (50.0, 0)]) == 25
    assert mean([(50.0, 0)]) is None and mean([]) is None
