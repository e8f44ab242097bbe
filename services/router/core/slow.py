"""The slow tier: an uncertain item waits in state until the scores of a slower model come, or its time is up.

Slow scores come on the topic and shard of the item's own events, and after them, so they find the item as edits and
withdrawals left it. What is decided meanwhile, or later, leaves nothing that waits: such scores are dropped.
"""

from msgspec.structs import replace

from services.events.instants import to_millis
from services.events.types import Circumstances
from services.policy.facts import Alarms, Facts
from services.router.core.items import Classified
from services.router.core.state import REMEMBER_MS, ItemState, Step


def waits(item: Classified, now: int) -> bool:
    """Whether the item's slow scores are worth waiting for at `now` (ms)."""
    return item.slow_until is not None and item.tier == "fast" and to_millis(item.slow_until) > now


def keep(item: Classified, before: ItemState | None, facts: Facts, now: int) -> Step:
    """The item as it waits; nobody hears of it yet. Needs `item.slow_until`."""
    assert item.slow_until is not None
    state = ItemState(
        revision=item.revision,
        forget_at=now + REMEMBER_MS,
        classified=item,
        slow_until=to_millis(item.slow_until),
        counters=None if facts.counters is None else dict(facts.counters),
        known=before is not None,
    )
    return Step(state)


def awaited(item: Classified, state: ItemState | None) -> Classified | None:
    """The item that waits for these slow scores; None where none does: decided, edited or withdrawn meanwhile."""
    if state is None or state.slow_until is None or state.revision != item.revision:
        return None
    kept = state.classified
    return kept if kept is not None and kept.run_id == item.run_id else None


def waiting_version(item: Classified, state: ItemState | None) -> str | None:
    """Which model gave the scores that slow ones are merged with; None where none are."""
    fast = awaited(item, state) if item.tier == "slow" else None
    return fast.model_version if fast else None


def merged(fast: Classified, slow: Classified) -> Classified:
    """The item with slow scores where the slow model has the category, and fast ones for the others."""
    of_slow = {score.category: score for score in slow.scores}
    kept = tuple(of_slow.pop(score.category, score) for score in fast.scores)
    alone = any(score.category not in {each.category for each in slow.scores} for score in fast.scores)
    return replace(
        fast,
        scores=(*kept, *of_slow.values()),
        model_version=slow.model_version,
        tier="slow",
        fast_model_version=fast.model_version if alone else None,
    )


def merged_alarms(alarms: Alarms, fast: Classified, slow: Classified) -> Alarms:
    """Alarms on the fast model go on for the categories that only it scored, under the name that these bear now."""
    of_slow = {score.category for score in slow.scores}
    alone = [score.category for score in fast.scores if score.category not in of_slow]
    inherited = {
        (name, slow.model_version)
        for category, model in alarms
        if model == fast.model_version
        for name in alone
        if category in (name, None)
    }
    return alarms | inherited


def told(seen: Circumstances, item: Classified) -> Circumstances:
    """The circumstances, saying how it went with the slow tier where the item was meant for it."""
    if item.tier == "slow":
        return replace(seen, slow="scored", fast_model_version=item.fast_model_version)
    return seen if item.slow_until is None else replace(seen, slow="late")
