"""Ids are the same for the same inputs, and different for all others."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.events.fresh import fresh_id
from services.events.ids import derived_id, derived_id_within, id_part, item_key, parse_task_id, task_id

PARTS = st.lists(st.text() | st.integers(), max_size=5).map(tuple)


@given(PARTS, PARTS)
def test_ids_are_equal_exactly_where_their_parts_are(
    one: tuple[str | int, ...], other: tuple[str | int, ...]
) -> None:
    assert (derived_id(*one) == derived_id(*other)) == (one == other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("a", "bc"), ("ab", "c")),
        (("a", 1), ("a", "1")),
        (("a", ""), ("a",)),
        (("s1:a",), ("a",)),
        ((1, 2), (12,)),
    ],
)
def test_parts_do_not_run_together(one: tuple[str | int, ...], other: tuple[str | int, ...]) -> None:
    assert derived_id(*one) != derived_id(*other)


def test_an_id_stays_what_it_is_for_good() -> None:
    """Records written by an older version are recognised by it: it must never change."""
    assert derived_id("content_classified", "demo", "post-1", 1) == "7ff4e981eb01e1fd96d1263a06dd8a0d"
    assert re.fullmatch("[0-9a-f]{32}", derived_id())


@given(PARTS, st.text(), PARTS)
def test_an_id_is_the_same_when_its_common_parts_are_written_once(
    before: tuple[str | int, ...], part: str, after: tuple[str | int, ...]
) -> None:
    written = derived_id_within(id_part(*before), part, id_part(*after))
    assert written == derived_id(*before, part, *after)


def test_a_flag_and_a_number_are_other_parts() -> None:
    assert id_part(True) != id_part(1)


def test_keys_and_task_ids() -> None:
    assert item_key("demo", "post-1") == "demo/post-1"
    assert task_id("demo", "post-1", 2, 1) == "demo/post-1@2.1"
    assert task_id("demo", "post-1", 2, "audit") == "demo/post-1@2.audit"


@given(
    st.from_regex(r"[a-z0-9-]{1,40}", fullmatch=True),
    st.from_regex(r"[!-~]{1,200}", fullmatch=True),
    st.integers(1, 2**53 - 1),
    st.integers(0, 1000) | st.just("audit"),
)
def test_a_task_id_tells_what_it_was_made_of(source: str, item_id: str, revision: int, number: int) -> None:
    assert parse_task_id(task_id(source, item_id, revision, number)) == (source, item_id, revision, number)


@pytest.mark.parametrize(
    "text", ["", "demo/1", "demo@1.1", "demo/1@1", "/1@1.1", "demo/@1.1", "demo/1@x.1", "demo/1@1.x"]
)
def test_what_is_no_task_id_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_task_id(text)


def test_fresh_ids_are_ordered_by_time_and_never_the_same() -> None:
    assert fresh_id(1_767_225_600_123).startswith(f"{1_767_225_600_123:012x}7")
    assert fresh_id(1_767_225_600_123) < fresh_id(1_767_225_600_124)
    assert len({fresh_id() for _ in range(1000)}) == 1000
    assert re.fullmatch("[0-9a-f]{32}", fresh_id())
