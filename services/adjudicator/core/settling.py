"""The time has come to look at votes, or to give up what was waited for or remembered."""

import msgspec
from msgspec.structs import replace

from services.adjudicator.core.adjudicating import Settlement, adjudicate
from services.adjudicator.core.state import GRACE_MS, REMEMBER_MS, ItemState, Step, TaskState
from services.events.ids import derived_id
from services.events.instants import from_millis
from services.events.types import Label, LabelRecorded, ReviewRequested, ReviewSettled, Vote


def settle_due(state: ItemState, now: int) -> Step:
    """Settle every task whose votes have come to something by `now` (ms), and forget what is old.

    A settled task is done: it never settles again. One that nobody closed, or whose request never came, is given up.
    """
    tasks: dict[str, TaskState] = {}
    done = {name: until for name, until in state.done.items() if until > now}
    events: list[msgspec.Struct] = []
    labelled = state.labelled_revision
    for name, task in state.tasks.items():
        if task.due > now:
            tasks[name] = task
            continue
        settlement = adjudicate(task, now - GRACE_MS)
        if task.request is not None and settlement is not None:
            events.append(settled(task.request, settlement, now))
            if settlement.action is not None:
                events.append(label(task.request, settlement, now))
                labelled = max(labelled, task.request.revision)
            done[name] = now + REMEMBER_MS
        elif task.until > now:
            tasks[name] = replace(task, decided_by=now - GRACE_MS)
    after = replace(state, tasks=tasks, done=done, labelled_revision=labelled)
    if after.closed_until <= now:
        after = replace(after, closed_revision=0, closed_until=0)
    return Step(None if after.empty else after, tuple(events))


def settled(request: ReviewRequested, settlement: Settlement, now: int) -> ReviewSettled:
    """The settlement as an event. Its id is the task's: a task settles once."""
    return ReviewSettled(
        event_id=derived_id("review_settled", request.task_id, request.run_id or ""),
        occurred_at=from_millis(now),
        task_id=request.task_id,
        source=request.source,
        item_id=request.item_id,
        revision=request.revision,
        decision_seq=request.decision_seq,
        purpose=request.purpose,
        queue=request.queue,
        agreed=settlement.action is not None,
        reason=settlement.reason,
        action=settlement.action,
        categories=settlement.categories,
        agreement=settlement.agreement,
        votes=tuple(
            Vote(
                verdict_id=cast.verdict_id,
                reviewer=cast.reviewer,
                seat=cast.seat,
                action=cast.action,
                categories=cast.categories,
            )
            for cast in settlement.votes
        ),
        selection=request.selection,
        scores=request.scores,
        text_hash=request.text_hash,
        requested_at=request.occurred_at,
        model_version=request.model_version,
        policy_version=request.policy_version,
        accepted_at=request.accepted_at,
        run_id=request.run_id,
    )


def label(request: ReviewRequested, settlement: Settlement, now: int) -> LabelRecorded:
    """What people said of every category that the model scored, and of those that only they saw."""
    assert settlement.action is not None
    scored = [score.category for score in request.scores]
    more = [category for category in settlement.categories if category not in scored]
    return LabelRecorded(
        event_id=derived_id("label_recorded", request.task_id, request.run_id or ""),
        occurred_at=from_millis(now),
        task_id=request.task_id,
        source=request.source,
        item_id=request.item_id,
        revision=request.revision,
        kind=request.item.kind,
        text=request.item.text,
        language=request.item.language,
        text_hash=request.text_hash,
        action=settlement.action,
        labels=tuple(
            Label(category=category, value=category in settlement.categories) for category in scored + more
        ),
        purpose=request.purpose,
        queue=request.queue,
        reviewers=tuple(dict.fromkeys(cast.reviewer for cast in settlement.votes)),
        selection=request.selection,
        agreement=settlement.agreement,
        model_version=request.model_version,
        policy_version=request.policy_version,
    )
