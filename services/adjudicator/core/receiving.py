"""A request, a verdict, a retraction or a closing arrives: it joins what is known, in whatever order."""

import msgspec
from msgspec.structs import replace

from services.adjudicator.core.state import REMEMBER_MS, Cast, ItemState, Step, TaskState
from services.events.ids import parse_task_id
from services.events.instants import to_millis
from services.events.types import ReviewClosed, ReviewCompleted, ReviewRequested


def receive(event: msgspec.Struct, offset: int, state: ItemState | None, now: int) -> Step:
    """The state with the event in it. `offset` orders the verdicts of an item; `now` in ms."""
    state = state or ItemState()
    if isinstance(event, ReviewRequested):
        return _request(event, state, now)
    if isinstance(event, ReviewCompleted):
        return _verdict(event, offset, state, now)
    assert isinstance(event, ReviewClosed)
    return _close(event, state, now)


def _request(event: ReviewRequested, state: ItemState, now: int) -> Step:
    if (dropped := _gone(event, state)) is not None:
        return Step(state, dropped=dropped)
    task = state.tasks.get(event.task_id, TaskState(until=0))
    if task.request is not None:
        return Step(state, dropped="repeat")
    # The router closes it when it expires; should that never come, it is given up some time after.
    until = to_millis(event.expires_at) + REMEMBER_MS
    return Step(_with(state, event.task_id, replace(task, request=event, until=until, decided_by=0)))


def _verdict(event: ReviewCompleted, offset: int, state: ItemState, now: int) -> Step:
    if (dropped := _gone(event, state)) is not None:
        return Step(state, dropped=f"{dropped}_verdict")
    task = state.tasks.get(event.task_id, TaskState(until=now + REMEMBER_MS))
    if event.retraction:
        at = min(to_millis(event.occurred_at), task.retracted.get(event.verdict_id, 2**53))
        retracted = {**task.retracted, event.verdict_id: at}
        return Step(_with(state, event.task_id, replace(task, retracted=retracted, decided_by=0)))
    if any(cast.verdict_id == event.verdict_id for cast in task.casts):
        return Step(state, dropped="repeat")
    assert event.action is not None
    cast = Cast(
        verdict_id=event.verdict_id,
        offset=offset,
        reviewer=event.reviewer,
        seat=event.seat,
        action=event.action,
        categories=tuple(sorted(set(event.categories))),
        final_at=to_millis(event.final_at),
    )
    casts = tuple(sorted((*task.casts, cast), key=lambda each: each.offset))
    return Step(_with(state, event.task_id, replace(task, casts=casts, decided_by=0)))


def _close(event: ReviewClosed, state: ItemState, now: int) -> Step:
    """A closing drops what it closes, and is remembered: the request may still be on its way."""
    until = now + REMEMBER_MS
    if event.task_id is not None:
        if event.task_id in state.done:
            return Step(state)
        tasks = {name: task for name, task in state.tasks.items() if name != event.task_id}
        return Step(replace(state, tasks=tasks, done={**state.done, event.task_id: until}))
    tasks = {name: task for name, task in state.tasks.items() if _revision(name) > event.revision}
    closed = max(event.revision, state.closed_revision)
    after = replace(state, tasks=tasks, closed_revision=closed, closed_until=until)
    # A label of a newer revision has already taken the place of what is withdrawn.
    forget = event.reason == "withdrawn" and state.labelled_revision <= event.revision
    return Step(after, forget_label=forget)


def _gone(event: ReviewRequested | ReviewCompleted, state: ItemState) -> str | None:
    """Why the event's task is no more; None where it is open, or not known."""
    if event.task_id in state.done:
        return "done"
    return "closed" if event.revision <= state.closed_revision else None


def _revision(task: str) -> int:
    return parse_task_id(task).revision


def _with(state: ItemState, name: str, task: TaskState) -> ItemState:
    return replace(state, tasks={**state.tasks, name: task})
