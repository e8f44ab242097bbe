"""A candidate policy beside the live one: what each made of an item, and in what they differ.

What was decided is read off the events of the step; the candidate is asked about the item as the live policy saw it,
with the same circumstances. Nothing here changes a step.
"""

from typing import NamedTuple

from msgspec.structs import replace

from services.events.types import ContentDecided, Differs, ShadowOutcome
from services.policy.facts import Facts
from services.policy.route import Asked, Outcome
from services.router.core import slow
from services.router.core.items import Classified, Requested
from services.router.core.state import ItemState, Step


class Live(NamedTuple):
    """What an item came to, and by which policy."""

    outcome: ShadowOutcome
    policy_version: str | None


class Seen(NamedTuple):
    """An item with the scores that decided, and what the decision saw besides it."""

    item: Classified
    facts: Facts


def live_outcome(step: Step) -> Live | None:
    """The outcome that an item enters with; None where the step has none (it waits, was dropped, is withdrawn)."""
    first: ContentDecided | None = None
    asked: Requested | None = None
    audited = False
    for event in step.events:
        if isinstance(event, ContentDecided):
            first = event
        elif isinstance(event, Requested):
            audited |= event.purpose == "audit"
            if event.purpose == "decision" and event.replaces is None:
                asked = event
    if first is None:
        return None
    if asked is not None:
        return Live(
            ShadowOutcome(
                outcome="review",
                queue=asked.queue,
                categories=first.categories,
                because=asked.selection.reason,
            ),
            asked.policy_version,
        )
    if not first.final or first.decision_seq != 0 or first.action == "hold":
        return None
    outcome = ShadowOutcome(
        outcome=first.action, categories=first.categories, because=first.rule, audited=audited
    )
    return Live(outcome, first.policy_version)


def as_seen(item: Classified, before: ItemState | None, facts: Facts) -> Seen:
    """The item and the circumstances that the step went by: merged scores, counters of when it came, what ingest saw.

    `before` is the state that the step began with; needs a step that decided.
    """
    fast = slow.awaited(item, before) if item.tier == "slow" else None
    if fast is not None and before is not None:
        alarms = slow.merged_alarms(facts.alarms, fast, item)
        return Seen(slow.merged(fast, item), replace(facts, alarms=alarms, counters=before.counters))
    if before is not None and before.slow_until is not None and before.classified is item:
        return Seen(item, replace(facts, counters=before.counters))
    if item.inline is not None:
        seen = item.inline.circumstances
        return Seen(item, replace(facts, counters=seen.counters, precedent=seen.precedent))
    return Seen(item, facts)


def said(outcome: Outcome) -> ShadowOutcome:
    """What a policy says of an item, in the words of events."""
    if isinstance(outcome, Asked):
        return ShadowOutcome(
            outcome="review", queue=outcome.queue, categories=outcome.categories, because=outcome.reason
        )
    return ShadowOutcome(
        outcome=outcome.action,
        categories=outcome.categories,
        because=outcome.rule[:200],
        audited=outcome.audited is not None,
    )


def differs(live: ShadowOutcome, shadow: ShadowOutcome) -> tuple[Differs, ...]:
    """In what two outcomes differ, the outcome itself first. Why they came about is no difference."""
    found: list[Differs] = []
    if live.outcome != shadow.outcome:
        found.append("outcome")
    if live.queue != shadow.queue:
        found.append("queue")
    if set(live.categories) != set(shadow.categories):
        found.append("categories")
    if live.audited != shadow.audited:
        found.append("audited")
    return tuple(found)
