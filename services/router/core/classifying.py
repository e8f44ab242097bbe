"""A scored item, an edit, a repeat or a withdrawal arrives."""

from msgspec.structs import replace

from services.events.ids import item_key, task_id
from services.events.types import (
    Circumstances,
    ClosingReason,
    ContentDecided,
    DecisionAction,
    InlineVerdict,
    ReviewClosed,
    Selection,
)
from services.policy.auditing import drawn
from services.policy.facts import Facts
from services.policy.lists import deciding
from services.policy.model import Policy
from services.policy.precedents import words
from services.policy.queues import serving
from services.policy.route import Asked, Decided, circumstances, route
from services.router.core import slow
from services.router.core.copies import follow
from services.router.core.items import Classified
from services.router.core.outcomes import closed, decided, numbered, requested
from services.router.core.state import REMEMBER_MS, Hold, ItemState, Step, Task, followed

PENDING: dict[str, tuple[DecisionAction, str]] = {
    "publish": ("allow", "published while people look"),
    "hold": ("hold", "held while people look"),
}


def classify(item: Classified, state: ItemState | None, policy: Policy, facts: Facts, now: int) -> Step:
    """What an item comes to, given what is known of it. `now` in ms."""
    if item.tier == "slow":
        return _scored_slowly(item, state, policy, facts, now)
    if item.withdrawn:
        return _withdraw(item, state, now)
    if state is None:
        return _enter(item, None, policy, facts, now)
    if item.revision == state.revision:
        return Step(state, dropped="withdrawn" if state.withdrawn else "repeat")
    if item.revision < state.revision:
        reason: ClosingReason = "withdrawn" if state.withdrawn else "edited"
        return Step(state, (closed(item.source, item.item_id, item.revision, None, reason, now),))
    step = _enter(item, state, policy, facts, now)
    return Step(step.state, (*_closings(item, state, now), *step.events))


def go_on(state: ItemState, policy: Policy, facts: Facts, now: int) -> Step:
    """What a kept item comes to with the fast scores, as its time is up. Needs `state.slow_until`."""
    assert state.classified is not None
    facts = replace(facts, counters=state.counters)
    return _enter(state.classified, state if state.known else None, policy, facts, now)


def _scored_slowly(item: Classified, state: ItemState | None, policy: Policy, facts: Facts, now: int) -> Step:
    """Slow scores: what the item that waits for them comes to, if one does."""
    fast = slow.awaited(item, state)
    if state is None or fast is None:
        return Step(state, dropped="late_slow_score")
    alarms = slow.merged_alarms(facts.alarms, fast, item)
    facts = replace(facts, alarms=alarms, counters=state.counters)
    return _enter(slow.merged(fast, item), state if state.known else None, policy, facts, now)


def _withdraw(item: Classified, state: ItemState | None, now: int) -> Step:
    """Every revision up to this one is closed, whether or not a task is open: the closing is the outcome."""
    closing = closed(item.source, item.item_id, item.revision, None, "withdrawn", now)
    if state is not None and item.revision < state.revision:
        return Step(state, (closing,))
    if state is not None and item.revision == state.revision and state.withdrawn:
        return Step(state, dropped="repeat")
    return Step(ItemState(revision=item.revision, withdrawn=True, forget_at=now + REMEMBER_MS), (closing,))


def _closings(item: Classified, state: ItemState, now: int) -> tuple[ReviewClosed, ...]:
    """An edit closes what people, or the slow tier, still have of the revision before."""
    if state.slow_until is not None:
        return (closed(item.source, item.item_id, state.revision, None, "edited", now),)
    return tuple(
        closed(item.source, item.item_id, state.revision, task.task_id, "edited", now)
        for task in (state.task, state.audit)
        if task is not None
    )


def _enter(item: Classified, before: ItemState | None, policy: Policy, facts: Facts, now: int) -> Step:
    """A revision seen for the first time, as far as is known, or one that waited for the slow tier."""
    waits = item.slow_until is not None and slow.waits(item, now)
    if waits and facts.precedent is None and not facts.listed:
        return slow.keep(item, before, facts, now)
    if item.inline is not None:
        return _record(item, item.inline, before, policy, facts, now)
    outcome = route(item, policy, facts)
    copied = isinstance(outcome, Decided) and outcome.basis == "duplicate"
    unscored = copied or (bool(facts.listed) and deciding(policy, facts.listed, item.item) is not None)
    if waits and not unscored:
        return slow.keep(item, before, facts, now)
    seen = circumstances(item, policy, facts, outcome)
    if not unscored and (item.slow_until is not None or item.tier == "slow"):
        seen = slow.told(seen, item)
    if isinstance(outcome, Asked):
        return _ask(item, outcome, seen, policy, now)
    decision = decided(
        item,
        0,
        outcome.action,
        outcome.basis,
        outcome.rule,
        seen,
        policy,
        now,
        categories=outcome.categories,
    )
    return _decide(item, before, outcome, seen, policy, now, decision)


def _record(
    item: Classified, inline: InlineVerdict, before: ItemState | None, policy: Policy, facts: Facts, now: int
) -> Step:
    """What ingest answered in line, which is not decided again; people are drawn to look at it as at any decision."""
    decision = replace(
        decided(
            item,
            0,
            inline.action,
            "inline",
            inline.rule or "",
            inline.circumstances,
            policy,
            now,
            categories=inline.categories,
        ),
        policy_version=inline.policy_version,
    )
    precedent = inline.circumstances.precedent
    copied = precedent is not None and inline.rule == words(precedent)
    outcome = Decided(
        action=inline.action,
        categories=inline.categories,
        rule=inline.rule or "",
        basis="duplicate" if copied else "automated",
        audited=drawn(item.scores, policy.audit, facts.draw),
    )
    step = _decide(item, before, outcome, inline.circumstances, policy, now, decision)
    if not copied or facts.precedent is None or step.state is None:
        return step
    # People may have decided otherwise since ingest answered: who inherited follows, as it would have later.
    key = item_key(item.source, item.item_id)
    after = follow(step.state, facts.precedent, key, policy, facts.capped, now)
    return Step(after.state, (*step.events, *after.events))


def _decide(
    item: Classified,
    before: ItemState | None,
    outcome: Decided,
    seen: Circumstances,
    policy: Policy,
    now: int,
    decision: ContentDecided,
) -> Step:
    """A final decision without people, and what of it is kept."""
    if outcome.audited is not None:
        return _audit(item, outcome, outcome.audited, seen, policy, now, decision)
    copied = outcome.basis == "duplicate"
    if before is None and not copied:
        return Step(None, (decision,))
    marker = ItemState(
        revision=item.revision,
        forget_at=now + REMEMBER_MS,
        action=outcome.action,
        followed=followed(item, *outcome.categories) if copied else None,
    )
    return Step(marker, (decision,))


def _ask(item: Classified, asked: Asked, seen: Circumstances, policy: Policy, now: int) -> Step:
    task = Task(
        task_id=numbered(item, 1),
        decision_seq=1,
        queue=asked.queue,
        expires_at=now + policy.queues[asked.queue].expire_ms,
        selection=Selection(reason=asked.reason, probability=asked.probability),
        categories=asked.categories,
        severity=asked.severity,
    )
    action, rule = PENDING[policy.while_pending]
    hold = Hold(until=now + policy.hold.at_most_ms, then=policy.hold.then) if policy.hold else None
    interim = decided(
        item,
        1,
        action,
        "rule",
        rule,
        seen,
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
        hold=hold,
        classified=item,
        circumstances=seen,
    )
    return Step(state, (requested(item, task, "decision", policy, now), interim))


def _audit(
    item: Classified,
    outcome: Decided,
    selection: Selection,
    seen: Circumstances,
    policy: Policy,
    now: int,
    decision: ContentDecided,
) -> Step:
    """Decided as usual, and people are asked as if it were not."""
    queue = serving(policy, policy.audit.queue, item.item)
    task = Task(
        task_id=task_id(item.source, item.item_id, item.revision, "audit"),
        decision_seq=1,
        queue=queue,
        expires_at=now + policy.queues[queue].expire_ms,
        selection=selection,
        categories=outcome.categories,
        severity=max(
            (policy.categories[name].severity for name in outcome.categories if name in policy.categories),
            default=0.0,
        ),
    )
    state = ItemState(
        revision=item.revision,
        forget_at=now + REMEMBER_MS,
        action=outcome.action,
        audit=task,
        classified=item,
        circumstances=seen,
        followed=followed(item, *outcome.categories) if outcome.basis == "duplicate" else None,
    )
    return Step(state, (decision, requested(item, task, "audit", policy, now)))
