"""The time of a task, a hold, or a marker is up."""

import msgspec

from services.events.types import ReviewClosed
from services.policy.model import Policy
from services.router.core.outcomes import closed, decided
from services.router.core.state import REMEMBER_MS, Hold, ItemState, Step, Task, stands


def expire(state: ItemState, policy: Policy, now: int) -> Step:
    """What is due at `now` (ms): the policy's fallback for a task, nothing for an audit, the end of a marker.

    A hold that lasted too long ends with another interim decision; people still have the item.
    """
    if state.due > now:
        return Step(state)
    if state.task is not None and state.task.expires_at <= now:
        return _fall_back(state, state.task, policy, now)
    if state.hold is not None and state.hold.until <= now and state.task is not None:
        return _let_go(state, state.hold, state.task, policy, now)
    if state.audit is not None and state.audit.expires_at <= now:
        marker = msgspec.structs.replace(
            state, audit=None, classified=None, circumstances=None, forget_at=now + REMEMBER_MS
        )
        return Step(marker, (_expired(state, state.audit, now),))
    return Step(None)


def _fall_back(state: ItemState, task: Task, policy: Policy, now: int) -> Step:
    assert state.classified is not None and state.circumstances is not None
    if task.supersedes is not None:
        return Step(stands(state, now), (_expired(state, task, now),))
    decision = decided(
        state.classified,
        task.decision_seq,
        policy.fallback,
        "fallback",
        f"nobody answered in time: {policy.fallback}",
        state.circumstances,
        policy,
        now,
        categories=task.categories if policy.fallback == "remove" else (),
        task=task.task_id,
    )
    marker = ItemState(
        revision=state.revision,
        forget_at=now + REMEMBER_MS,
        decision_seq=task.decision_seq,
        action=policy.fallback,
    )
    return Step(marker, (decision, _expired(state, task, now)))


def _let_go(state: ItemState, hold: Hold, task: Task, policy: Policy, now: int) -> Step:
    assert state.classified is not None and state.circumstances is not None
    decision = decided(
        state.classified,
        task.decision_seq,
        hold.then,
        "rule",
        f"held for as long as the policy holds: {hold.then} while people look",
        state.circumstances,
        policy,
        now,
        final=False,
        interim=1,
        categories=task.categories,
        task=task.task_id,
    )
    return Step(msgspec.structs.replace(state, hold=None), (decision,))


def _expired(state: ItemState, task: Task, now: int) -> ReviewClosed:
    assert state.classified is not None
    item = state.classified
    return closed(item.source, item.item_id, item.revision, task.task_id, "expired", now)
