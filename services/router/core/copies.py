"""Items with one text: what people decide on it reaches all of them, whichever shard they are on.

An open one is decided like the text (`duplicate`), under the number that its request carried, and its task is closed.
One that was decided like the text follows it where people decide otherwise later. Either is done once: it leaves a
state that is like the text. Where the policy keeps people's decisions to their own item (`copies`), neither is done.
The switch and the caps stop the first, so people keep the task; they do not stop the second, which takes back what was
done in people's name.
"""

from collections.abc import Container
from typing import NamedTuple

from msgspec.structs import replace

from services.events.ids import task_id
from services.events.types import Circumstances, Precedent, Score, Selection
from services.policy.auditing import drawn
from services.policy.model import Policy
from services.policy.precedents import inherits, words
from services.policy.queues import serving
from services.router.core.items import Classified
from services.router.core.outcomes import closed, decided, requested
from services.router.core.state import REMEMBER_MS, Followed, ItemState, Step, Task, followed


def text_of(state: ItemState) -> str | None:
    """The hash of the text whose decision concerns an item: while its own is open, and once it has that decision."""
    if state.task is not None and state.classified is not None:
        return state.classified.text_hash
    return None if state.followed is None else state.followed.text_hash


def behind(state: ItemState, precedent: Precedent) -> bool:
    """Whether the decision on its text leaves something to do for an item."""
    return state.task is not None or (state.followed is not None and state.action != precedent.action)


def follow(
    state: ItemState, precedent: Precedent, key: str, policy: Policy, capped: Container[str], now: int
) -> Step:
    """What people's decision on its text comes to for the item of a key.

    `capped` are actions of which there were enough; `now` in ms.
    """
    if not behind(state, precedent):
        return Step(state)
    if state.task is None:
        assert state.followed is not None
        if not inherits(policy, precedent, state.followed.categories):
            return Step(state)
        return _reverse(state, precedent, key, policy, now)
    refused = (
        not policy.automation
        or not inherits(policy, precedent, state.task.categories)
        or precedent.action in capped
    )
    return Step(state) if refused else _inherit(state, state.task, precedent, policy, now)


class _Remembered(NamedTuple):
    """An item of which only the marker is left, as its decisions need it."""

    source: str
    item_id: str
    revision: int
    text_hash: str
    model_version: str | None
    accepted_at: str | None
    run_id: str | None
    scores: tuple[Score, ...] = ()  # kept no longer: no score had a say


def _inherit(state: ItemState, task: Task, precedent: Precedent, policy: Policy, now: int) -> Step:
    item, seen = state.classified, state.circumstances
    assert item is not None and seen is not None and item.text_hash is not None
    seen = replace(seen, automation=policy.automation, precedent=precedent)
    decision = decided(
        item,
        task.decision_seq,
        precedent.action,
        "duplicate",
        words(precedent),
        seen,
        policy,
        now,
        categories=precedent.categories,
        task=task.task_id,
        supersedes=task.supersedes,
    )
    closing = closed(item.source, item.item_id, item.revision, task.task_id, "copy_decided", now)
    marker = ItemState(
        revision=state.revision,
        forget_at=now + REMEMBER_MS,
        decision_seq=task.decision_seq,
        action=precedent.action,
        followed=followed(item, *precedent.categories, *task.categories),
    )
    selection = None if seen.draw is None else drawn(item.scores, policy.audit, seen.draw)
    if selection is None:
        return Step(marker, (decision, closing))
    audit = _audit(item, task, precedent, selection, policy, now)
    after = replace(marker, audit=audit, classified=item, circumstances=seen)
    return Step(after, (decision, closing, requested(item, audit, "audit", policy, now)))


def _audit(
    item: Classified, task: Task, precedent: Precedent, selection: Selection, policy: Policy, now: int
) -> Task:
    """It was drawn: people look at it too, as if it were not decided."""
    queue = serving(policy, policy.audit.queue, item.item)
    return Task(
        task_id=task_id(item.source, item.item_id, item.revision, "audit"),
        decision_seq=task.decision_seq + 1,
        queue=queue,
        expires_at=now + policy.queues[queue].expire_ms,
        selection=selection,
        categories=precedent.categories,
        severity=task.severity,
    )


def _reverse(state: ItemState, precedent: Precedent, key: str, policy: Policy, now: int) -> Step:
    """The next decision, in place of the one that is no longer people's."""
    assert state.followed is not None
    seq = state.decision_seq + 1
    source, _, item_id = key.partition("/")
    decision = decided(
        _remembered(source, item_id, state.revision, state.followed),
        seq,
        precedent.action,
        "duplicate",
        words(precedent),
        Circumstances(automation=policy.automation, precedent=precedent),
        policy,
        now,
        categories=precedent.categories,
        supersedes=state.decision_seq,
    )
    after = replace(state, decision_seq=seq, action=precedent.action, forget_at=now + REMEMBER_MS)
    return Step(after, (decision,))


def _remembered(source: str, item_id: str, revision: int, of: Followed) -> _Remembered:
    return _Remembered(source, item_id, revision, of.text_hash, of.model_version, of.accepted_at, of.run_id)
