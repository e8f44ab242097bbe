"""The votes of people on a task came to something."""

import msgspec

from services.events.types import Basis, DecisionAction, ReviewSettled, Selection
from services.policy.model import Policy
from services.policy.queues import serving, stands_for
from services.router.core.items import Classified
from services.router.core.outcomes import decided, numbered, requested, text_decided
from services.router.core.state import REMEMBER_MS, ItemState, Step, Task, followed, stands


def settle(settled: ReviewSettled, state: ItemState | None, policy: Policy, now: int) -> Step:
    """The final decision, the next question, or nothing where the task is open no more (withdrawn, edited, expired)."""
    if state is None or state.classified is None:
        return Step(state, dropped="late_settlement")
    if state.task is not None and state.task.task_id == settled.task_id:
        return _decision(settled, state, state.task, state.classified, policy, now)
    if state.audit is not None and state.audit.task_id == settled.task_id:
        return _audit(settled, state, state.audit, state.classified, policy, now)
    return Step(state, dropped="late_settlement")


def _decision(
    settled: ReviewSettled,
    state: ItemState,
    task: Task,
    item: Classified,
    policy: Policy,
    now: int,
) -> Step:
    assert state.circumstances is not None
    if settled.action is None and stands_for(policy, task.queue) != policy.escalation:
        return _escalate(state, task, item, policy, now)
    action: DecisionAction
    basis: Basis
    if settled.action is None and task.supersedes is not None:
        return Step(stands(state, now))
    if settled.action is None:
        action, basis, rule = policy.fallback, "fallback", f"experts: {settled.reason}, fallback"
        categories = task.categories if policy.fallback == "remove" else ()
    else:
        action, basis, rule = settled.action, "human", votes(settled)
        categories = settled.categories
    decision = decided(
        item,
        task.decision_seq,
        action,
        basis,
        rule,
        state.circumstances,
        policy,
        now,
        categories=categories,
        task=task.task_id,
        supersedes=task.supersedes,
    )
    marker = ItemState(
        revision=state.revision,
        forget_at=now + REMEMBER_MS,
        decision_seq=task.decision_seq,
        action=action,
        followed=None if settled.action is None else followed(item, *categories, *task.categories),
    )
    if settled.action is None or item.text_hash is None:
        return Step(marker, (decision,))
    text = text_decided(settled, item.text_hash, settled.action, task.decision_seq, now)
    return Step(marker, (decision, text))


def _audit(
    settled: ReviewSettled,
    state: ItemState,
    task: Task,
    item: Classified,
    policy: Policy,
    now: int,
) -> Step:
    """People who disagree with a machine overturn it, where policy says so. Otherwise an audit changes nothing."""
    assert state.circumstances is not None
    if settled.action is None and stands_for(policy, task.queue) != policy.escalation:
        return _escalate(state, task, item, policy, now)
    marker = ItemState(
        revision=state.revision,
        forget_at=now + REMEMBER_MS,
        decision_seq=state.decision_seq,
        action=state.action,
        followed=state.followed,
    )
    if settled.action is None or settled.action == state.action or not policy.audit.supersede:
        return Step(marker)
    seq = (
        state.decision_seq + 1
    )  # the task's own number, or more where a copy was decided otherwise meanwhile
    decision = decided(
        item,
        seq,
        settled.action,
        "human",
        f"audit, {votes(settled)}",
        state.circumstances,
        policy,
        now,
        categories=settled.categories,
        task=task.task_id,
        supersedes=state.decision_seq,
    )
    after = msgspec.structs.replace(
        marker,
        decision_seq=seq,
        action=settled.action,
        followed=followed(item, *settled.categories, *task.categories),
    )
    if item.text_hash is None:
        return Step(after, (decision,))
    return Step(after, (decision, text_decided(settled, item.text_hash, settled.action, seq, now)))


def _escalate(state: ItemState, task: Task, item: Classified, policy: Policy, now: int) -> Step:
    """Ask the experts, under the next number. An audit stays one: no outcome, and as likely as it was."""
    audit = state.audit is not None and state.audit.task_id == task.task_id
    queue = serving(policy, policy.escalation, item.item)
    seq = task.decision_seq if audit else task.decision_seq + 1  # `….audit` took no number of its own
    asked = Task(
        task_id=numbered(item, seq),
        decision_seq=seq,
        queue=queue,
        expires_at=now + policy.queues[queue].expire_ms,
        selection=task.selection
        if audit
        else Selection(reason="not_agreed", probability=task.selection.probability),
        categories=task.categories,
        severity=task.severity,
        supersedes=task.supersedes,
    )
    after = msgspec.structs.replace(
        state,
        forget_at=now + REMEMBER_MS,
        task=None if audit else asked,
        audit=asked if audit else None,
        decision_seq=state.decision_seq if audit else seq,
    )
    question = requested(item, asked, "audit" if audit else "decision", policy, now, replaces=task.task_id)
    return Step(after, (question,))


def votes(settled: ReviewSettled) -> str:
    """As in `2 of 2 votes`."""
    of_a_kind = sum(vote.action == settled.action for vote in settled.votes)
    return f"{of_a_kind} of {len(settled.votes)} votes"
