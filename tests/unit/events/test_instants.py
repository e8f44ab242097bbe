"""Instants are UTC, to the millisecond, in both directions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.events.errors import EventError, InvalidInstant
from services.events.instants import from_millis, to_millis


@given(st.integers(-62_135_596_800_000, 253_402_300_799_999))
def test_there_and_back(millis: int) -> None:
    assert to_millis(from_millis(millis)) == millis


@pytest.mark.parametrize(
    ("instant", "millis"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2026-01-31T12:00:00.000Z", 1_769_860_800_000),
        ("2026-01-31T12:00:00.5Z", 1_769_860_800_500),
        ("2026-01-31T12:00:00.123456Z", 1_769_860_800_123),
        ("1969-12-31T23:59:59.999Z", -1),
        ("2024-02-29T00:00:00Z", 1_709_164_800_000),
    ],
)
def test_instants(instant: str, millis: int) -> None:
    assert to_millis(instant) == millis


def test_how_it_is_written() -> None:
    assert from_millis(1_769_860_800_007) == "2026-01-31T12:00:00.007Z"
    assert from_millis(1_769_860_800_000) == "2026-01-31T12:00:00.000Z"


@pytest.mark.parametrize(
    "instant", ["2026-02-29T00:00:00Z", "2026-02-30T00:00:00Z", "0000-01-01T00:00:00Z", "2026-01-31"]
)
def test_a_day_that_the_calendar_does_not_have(instant: str) -> None:
    with pytest.raises(InvalidInstant, match=instant):
        to_millis(instant)
    assert issubclass(InvalidInstant, EventError)
