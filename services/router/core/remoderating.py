"""A past item, scored again in a run: what stands is overturned, people are asked, or all stays as it is.

What people decided stands, whatever a machine says now, and so does what was withdrawn, edited, or is with people. What
the event says of where the item stands is held against what is known here: where a higher number was given out than
that of the decision that stood, something was asked or decided meanwhile, and the run is late. While people look, what
stood goes on standing.
"""

from typing import Any, Literal

import msgspec
from msgspec.structs import asdict, replace

from services.events.types import (
    Circumstances,
    EventId,
    Instant,
    ItemId,
    Revision,
    RunId,
    Score,
    Selection,
    Source,
    Stood,
    TextHash,
    Tier,
    Version,
)
from services.policy.facts import Facts
from services.policy.model import Policy
from services.policy.route import Asked, Decided, circumstances, route
from services.router.core.items import Classified, GivenScore
from services.router.core.outcomes import decided, numbered, requested
from services.router.core.slow import told
from services.router.core.state import REMEMBER_MS, ItemState, Step, Task, followed

BY_PEOPLE = frozenset({"human", "appeal", "duplicate"})  # bases; a copy has what people decided on its text
WORTH_ASKING = frozenset(
    {"uncertain", "rule"}
)  # the rest says that machines are stopped, not that the item is in doubt
LAST = 1000  # number that a decision can have


class Remoderated(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """content_remoderated.v1, its item as bytes."""

    schema: Literal["content_remoderated.v1"] = "content_remoderated.v1"
    event_id: EventId
    occurred_at: Instant
    source: Source
    item_id: ItemId
    revision: Revision
    run_id: RunId
    item: msgspec.Raw
    text_hash: TextHash | None = None
    scores: tuple[Score, ...] = ()
    model_version: Version
    fast_model_version: Version | None = None
    tier: Tier
    counters: dict[str, Any] | None = None
    accepted_at: Instant | None = None
    standing: Stood


def scored_again(event: Remoderated) -> Classified:
    """The item as if it had just been scored."""
    return Classified(
        event_id=event.event_id,
        occurred_at=event.occurred_at,
        source=event.source,
        item_id=event.item_id,
        revision=event.revision,
        item=event.item,
        text_hash=event.text_hash,
        scores=tuple([GivenScore(**asdict(score)) for score in event.scores]),
        model_version=event.model_version,
        tier=event.tier,
        accepted_at=event.accepted_at,
        run_id=event.run_id,
        fast_model_version=event.fast_model_version,
    )


def moderate_again(
    event: Remoderated, state: ItemState | None, policy: Policy, facts: Facts, now: int
) -> Step:
    """What today's policy makes of it. `now` in ms; caps, budget and audits have no say: a run has its own measure."""
    if (why := in_the_way(event, state)) is not None:
        return Step(state, dropped=why)
    item, stood = scored_again(event), event.standing
    facts = replace(facts, counters=event.counters, capped=frozenset(), budget=None, budget_draw=None)
    outcome = route(item, policy, facts)
    seen = told(circumstances(item, policy, facts, outcome), item)
    seq = stood.last_seq + 1
    if isinstance(outcome, Asked):
        if outcome.reason not in WORTH_ASKING:
            return Step(state, dropped=outcome.reason)
        return _ask(item, outcome, stood, seq, seen, policy, now)
    if outcome.action == stood.action:
        return Step(state, dropped="unchanged")
    return _overturn(item, outcome, stood, seq, seen, policy, now)


def in_the_way(event: Remoderated, state: ItemState | None) -> str | None:
    """Why what stands is not touched, in a word; None where it may be."""
    if event.standing.basis in BY_PEOPLE:
        return "people_decided"
    if event.standing.last_seq >= LAST:
        return "no_number_left"
    if state is None:
        return None
    if state.revision != event.revision:
        return "edited"
    if state.withdrawn:
        return "withdrawn"
    if state.task is not None or state.audit is not None:
        return "in_review"
    if state.slow_until is not None:
        return "undecided"
    if state.followed is not None:
        return "people_decided"
    return "decided_meanwhile" if state.decision_seq > event.standing.decision_seq else None


def _overturn(
    item: Classified, outcome: Decided, stood: Stood, seq: int, seen: Circumstances, policy: Policy, now: int
) -> Step:
    decision = decided(
        item,
        seq,
        outcome.action,
        outcome.basis,
        outcome.rule,
        seen,
        policy,
        now,
        categories=outcome.categories,
        supersedes=stood.decision_seq,
    )
    marker = ItemState(
        revision=item.revision,
        forget_at=now + REMEMBER_MS,
        decision_seq=seq,
        action=outcome.action,
        followed=followed(item, *outcome.categories) if outcome.basis == "duplicate" else None,
    )
    return Step(marker, (decision,))


def _ask(
    item: Classified, asked: Asked, stood: Stood, seq: int, seen: Circumstances, policy: Policy, now: int
) -> Step:
    """No interim decision: what stood stands until people say otherwise, also where nobody does."""
    task = Task(
        task_id=numbered(item, seq),
        decision_seq=seq,
        queue=asked.queue,
        expires_at=now + policy.queues[asked.queue].expire_ms,
        selection=Selection(reason="remoderated", probability=1.0),
        categories=asked.categories,
        severity=asked.severity,
        supersedes=stood.decision_seq,
    )
    state = ItemState(
        revision=item.revision,
        forget_at=now + REMEMBER_MS,
        decision_seq=seq,
        action=stood.action,
        task=task,
        classified=item,
        circumstances=seen,
    )
    return Step(state, (requested(item, task, "decision", policy, now),))
