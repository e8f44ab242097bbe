"""What the votes come to is a function of the set of events, never of the order in which topics are read."""

from typing import Any, TypeAlias

from hypothesis import given, settings
from hypothesis import strategies as st

from services.adjudicator.core import ItemState, receive, settle_due
from services.events.types import ReviewClosed, ReviewCompleted, ReviewRequested
from tests.unit.adjudicator.making import LATER, NOW, closing, request, retraction, task, verdict

Log: TypeAlias = dict[type, list[Any]]
TOPICS = (ReviewRequested, ReviewCompleted, ReviewClosed)

verdicts = st.builds(
    lambda who, action, seat, categories, at, number: verdict(
        who, action, seat, categories, NOW + at, task_id=task(number=number), decision_seq=number
    ),
    st.sampled_from(["ada", "grace", "joan"]),
    st.sampled_from(["allow", "remove", "remove", "escalate"]),
    st.integers(0, 2),
    st.sampled_from([(), ("toxicity",), ("spam", "toxicity")]),
    st.integers(0, 20_000),
    st.integers(1, 2),
)


@st.composite
def logs(draw: st.DrawFn) -> Log:
    """What each topic holds, in its order."""
    completed: list[ReviewCompleted] = draw(st.lists(verdicts, max_size=7))
    for cast in list(completed):
        if draw(st.sampled_from([True, False, False, False])):
            index = completed.index(cast)
            completed.insert(
                draw(st.integers(index + 1, len(completed))),
                retraction(cast, NOW + draw(st.integers(0, 30_000))),
            )
    if completed and draw(st.booleans()):
        completed.append(draw(st.sampled_from(completed)))  # a repeat
    requested = [request(draw(st.integers(1, 3))), *([request(1, number=2)] if draw(st.booleans()) else [])]
    closed = draw(
        st.lists(st.sampled_from([closing(task()), closing(), closing(task(number=2))]), max_size=1)
    )
    return {ReviewRequested: requested, ReviewCompleted: completed, ReviewClosed: closed}


@st.composite
def interleavings(draw: st.DrawFn, log: Log) -> list[tuple[Any, int]]:
    """(event, offset) in an order that keeps that of each topic."""
    turns = draw(st.permutations([kind for kind in TOPICS for _ in log[kind]]))
    read = {kind: 0 for kind in TOPICS}
    order = []
    for kind in turns:
        order.append((log[kind][read[kind]], read[kind]))
        read[kind] += 1
    return order


def outcome(order: list[tuple[Any, int]]) -> tuple[tuple[Any, ...], ItemState | None]:
    state: ItemState | None = None
    for event, offset in order:
        state = receive(event, offset, state, NOW).state
    assert state is not None
    step = settle_due(state, LATER)
    return tuple(sorted(step.events, key=lambda event: event.event_id)), step.state


@settings(max_examples=500, deadline=None)
@given(st.data(), logs())
def test_the_order_of_arrival_does_not_matter(data: st.DataObject, log: Log) -> None:
    first = outcome(data.draw(interleavings(log)))
    second = outcome(data.draw(interleavings(log)))
    assert first == second


@settings(max_examples=300, deadline=None)
@given(st.data(), logs(), st.lists(st.integers(0, 40_000), max_size=5))
def test_nor_does_it_matter_when_anybody_looks_once_all_has_been_read(
    data: st.DataObject, log: Log, looks: list[int]
) -> None:
    once, _ = outcome(data.draw(interleavings(log)))
    state: ItemState | None = None
    for event, offset in data.draw(interleavings(log)):
        state = receive(event, offset, state, NOW).state
    events: list[Any] = []
    for now in [*sorted(NOW + look for look in looks), LATER]:
        if state is not None:
            step = settle_due(state, now)
            state, events = step.state, [*events, *step.events]
    assert {e.event_id for e in events} == {e.event_id for e in once}
    assert len(events) == len(once)
    votes = {e.task_id: e.votes for e in once if hasattr(e, "votes")}
    assert {e.task_id: e.votes for e in events if hasattr(e, "votes")} == votes
