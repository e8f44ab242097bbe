"""The events that the router writes. Their ids are derived, so that doing work twice writes the same event."""

from functools import lru_cache
from typing import Protocol

from services.events.ids import derived_id, derived_id_within, id_part, task_id
from services.events.instants import from_millis
from services.events.types import (
    Basis,
    Circumstances,
    ClosingReason,
    ContentDecided,
    DecisionAction,
    Purpose,
    ReviewClosed,
    ReviewSettled,
    Score,
    TextDecided,
)
from services.policy.model import Policy
from services.policy.precedents import follows
from services.policy.queues import served
from services.router.core.items import Classified, Requested
from services.router.core.state import Task


class Decidable(Protocol):
    """What a decision says of its item; Classified has it."""

    @property
    def source(self) -> str: ...
    @property
    def item_id(self) -> str: ...
    @property
    def revision(self) -> int: ...
    @property
    def text_hash(self) -> str | None: ...
    @property
    def scores(self) -> tuple[Score, ...]: ...
    @property
    def model_version(self) -> str | None: ...
    @property
    def accepted_at(self) -> str | None: ...
    @property
    def run_id(self) -> str | None: ...


def decided(
    item: Decidable,
    seq: int,
    action: DecisionAction,
    basis: Basis,
    rule: str,
    circumstances: Circumstances,
    policy: Policy,
    now: int,
    *,
    final: bool = True,
    interim: int = 0,
    categories: tuple[str, ...] = (),
    task: str | None = None,
    supersedes: int | None = None,
) -> ContentDecided:
    """Decision `seq` on an item, interim or final."""
    return ContentDecided(
        event_id=derived_id_within(
            _id_before(item.source), item.item_id, _id_after(item.revision, seq, final, interim, item.run_id)
        ),
        occurred_at=from_millis(now),
        source=item.source,
        item_id=item.item_id,
        revision=item.revision,
        decision_seq=seq,
        final=final,
        interim=interim,
        action=action,
        categories=categories,
        basis=basis,
        rule=rule[:200],
        supersedes=supersedes,
        task_id=task,
        text_hash=item.text_hash,
        scores=item.scores,
        circumstances=circumstances,
        model_version=item.model_version,
        policy_version=policy.version,
        accepted_at=item.accepted_at,
        run_id=item.run_id,
    )


@lru_cache(1024)
def _id_before(source: str) -> str:
    """What the ids of a platform's decisions begin with."""
    return id_part("content_decided", source)


@lru_cache(4096)
def _id_after(revision: int, seq: int, final: bool, interim: int, run_id: str | None) -> str:
    """What the ids of decisions end with: nearly all are the first on a first revision."""
    return id_part(revision, seq, int(final), run_id or "", *((interim,) if interim else ()))


def requested(
    item: Classified,
    task: Task,
    purpose: Purpose,
    policy: Policy,
    now: int,
    replaces: str | None = None,
) -> Requested:
    """The question to people that `task` stands for."""
    queue, wanted = policy.queues[task.queue], served(policy, task.queue, item.item)
    return Requested(
        event_id=derived_id("review_requested", task.task_id, item.run_id or ""),
        occurred_at=from_millis(now),
        task_id=task.task_id,
        source=item.source,
        item_id=item.item_id,
        revision=item.revision,
        decision_seq=task.decision_seq,
        purpose=purpose,
        queue=task.queue,
        item=item.item,
        text_hash=item.text_hash,
        scores=item.scores,
        selection=task.selection,
        severity=task.severity,
        deadline=from_millis(now + queue.deadline_ms),
        expires_at=from_millis(task.expires_at),
        votes_wanted=queue.votes,
        lease_seconds=queue.lease_seconds,
        skills=wanted.skills,
        languages=wanted.languages,
        follows_text=_follows_text(item, task, purpose, policy, replaces),
        replaces=replaces,
        model_version=item.model_version,
        policy_version=policy.version,
        accepted_at=item.accepted_at,
        run_id=item.run_id,
    )


def _follows_text(
    item: Classified, task: Task, purpose: Purpose, policy: Policy, replaces: str | None
) -> bool:
    """Whether a question may wait for the answer to a copy's. An audit may not, as it is no outcome; nor what goes to
    people once more, which has waited; nor anything while the switch keeps copies from being decided.
    """
    if purpose == "audit" or replaces is not None or item.text_hash is None:
        return False
    return policy.automation and follows(policy, task.categories)


def closed(
    source: str, item_id: str, revision: int, task: str | None, reason: ClosingReason, now: int
) -> ReviewClosed:
    """A task, or without one every revision of the item up to `revision`, needs no people any more."""
    return ReviewClosed(
        event_id=derived_id("review_closed", source, item_id, revision, task or "", reason),
        occurred_at=from_millis(now),
        source=source,
        item_id=item_id,
        revision=revision,
        task_id=task,
        reason=reason,
    )


def text_decided(
    settled: ReviewSettled, text_hash: str, action: DecisionAction, seq: int, now: int
) -> TextDecided:
    """What people finally decided on a text, in decision `seq` on the item that they were shown."""
    return TextDecided(
        event_id=derived_id("text_decided", text_hash, settled.task_id),
        occurred_at=from_millis(now),
        text_hash=text_hash,
        source=settled.source,
        item_id=settled.item_id,
        revision=settled.revision,
        decision_seq=seq,
        action=action,
        categories=settled.categories,
    )


def numbered(item: Classified, seq: int) -> str:
    """The id of the task that asks for decision `seq`."""
    return task_id(item.source, item.item_id, item.revision, seq)
