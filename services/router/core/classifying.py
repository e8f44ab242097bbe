"""A scored item, an edit, a repeat or a withdrawal arrives."""

from services.events.ids import task_id
from services.events.types import (
    Circumstances,
    ClosingReason,
    ContentDecided,
    DecisionAction,
    ReviewClosed,
    Selection,
)
from services.policy.model import Policy
from services.policy.route import Alarms, Asked, Decided, alarmed, route
from services.router.core.items import Classified
from services.router.core.outcomes import closed, decided, numbered, requested
from services.router.core.state import REMEMBER_MS, ItemState, Step, Task

PENDING: dict[str, tuple[DecisionAction, str]] = {
    "publish": ("allow", "published while people look"),
    "hold": ("hold", "held while people look"),
}


def classify(
    item: Classified,
    state: ItemState | None,
    policy: Policy,
    alarms: Alarms,
    draw: float,
    now: int,
) -> Step:
    """What an item comes to, given what is known of it. `draw` in [0, 1) is the item's own for audits; `now` in ms."""
    if item.withdrawn:
        return _withdraw(item, state, now)
    if state is None:
        return _enter(item, None, policy, alarms, draw, now)
    if item.revision == state.revision:
        return Step(state, dropped="withdrawn" if state.withdrawn else "repeat")
    if item.revision < state.revision:
        reason: ClosingReason = "withdrawn" if state.withdrawn else "edited"
        return Step(state, (closed(item.source, item.item_id, item.revision, None, reason, now),))
    step = _enter(item, state, policy, alarms, draw, now)
    return Step(step.state, (*_closings(item, state, now), *step.events))


def _withdraw(item: Classified, state: ItemState | None, now: int) -> Step:
    """Every revision up to this one is closed, whether or not a task is open: the closing is the outcome."""
    closing = closed(item.source, item.item_id, item.revision, None, "withdrawn", now)
    if state is not None and item.revision < state.revision:
        return Step(state, (closing,))
    if state is not None and item.revision == state.revision and state.withdrawn:
        return Step(state, dropped="repeat")
    return Step(ItemState(revision=item.revision, withdrawn=True, forget_at=now + REMEMBER_MS), (closing,))


def _closings(item: Classified, state: ItemState, now: int) -> tuple[ReviewClosed, ...]:
    """An edit closes what people still have of the revision before."""
    return tuple(
        closed(item.source, item.item_id, state.revision, task.task_id, "edited", now)
        for task in (state.task, state.audit)
        if task is not None
    )


def _enter(
    item: Classified,
    before: ItemState | None,
    policy: Policy,
    alarms: Alarms,
    draw: float,
    now: int,
) -> Step:
    """A revision seen for the first time, as far as is known."""
    outcome = route(item, policy, alarms, draw)
    circumstances = Circumstances(
        automation=policy.automation,
        alarms=tuple(sorted(alarmed(item, policy, alarms))) if alarms else (),
        draw=draw,
    )
    if isinstance(outcome, Asked):
        return _ask(item, outcome, circumstances, policy, now)
    decision = decided(
        item,
        0,
        outcome.action,
        "automated",
        outcome.rule,
        circumstances,
        policy,
        now,
        categories=outcome.categories,
    )
    if outcome.audited:
        return _audit(item, outcome, circumstances, policy, now, decision)
    if before is None:
        return Step(None, (decision,))
    marker = ItemState(revision=item.revision, forget_at=now + REMEMBER_MS, action=outcome.action)
    return Step(marker, (decision,))


def _ask(item: Classified, asked: Asked, circumstances: Circumstances, policy: Policy, now: int) -> Step:
    task = Task(
        task_id=numbered(item, 1),
        decision_seq=1,
        queue=asked.queue,
        expires_at=now + policy.queues[asked.queue].expire_ms,
        selection=Selection(reason=asked.reason, probability=1.0),
        categories=asked.categories,
        severity=asked.severity,
    )
    action, rule = PENDING[policy.while_pending]
    interim = decided(
        item,
        1,
        action,
        "rule",
        rule,
        circumstances,
        policy,
        now,
        final=False,
        categories=asked.categories,
        task=task.task_id,
    )
    state = ItemState(
        revision=item.revision,
        forget_at=now + REMEMBER_MS,
        decision_seq=1,
        task=task,
        classified=item,
        circumstances=circumstances,
    )
    return Step(state, (requested(item, task, "decision", policy, now), interim))


def _audit(
    item: Classified,
    outcome: Decided,
    circumstances: Circumstances,
    policy: Policy,
    now: int,
    decision: ContentDecided,
) -> Step:
    """Decided as usual, and people are asked as if it were not."""
    queue = policy.audit.queue
    task = Task(
        task_id=task_id(item.source, item.item_id, item.revision, "audit"),
        decision_seq=1,
        queue=queue,
        expires_at=now + policy.queues[queue].expire_ms,
        selection=Selection(reason="sampled", probability=policy.audit.share),
        categories=outcome.categories,
        severity=max((policy.categories[name].severity for name in outcome.categories), default=0.0),
    )
    state = ItemState(
        revision=item.revision,
        forget_at=now + REMEMBER_MS,
        action=outcome.action,
        audit=task,
        classified=item,
        circumstances=circumstances,
    )
    return Step(state, (decision, requested(item, task, "audit", policy, now)))
