"""The candidate that is tried beside the live policy, as policy.shadowed says."""

from __future__ import annotations

from services.cli.broadcasts import newest
from services.events.fresh import fresh_id
from services.events.instants import from_millis, to_millis
from services.events.types import AuditRecorded, PolicyReleased, PolicyShadowed
from services.policy.model import Policy
from services.policy.parse import content_hash
from services.runtime.clock import now_ms
from services.runtime.settings import Settings

TOPIC = "policy.shadowed"
KEY = "candidate"  # of policy.shadowed: one is tried at a time


def tried(settings: Settings) -> PolicyShadowed | None:
    """The trial that is on, None where there is none or its time is up.

    Raises MissingTopic, Stalled, KafkaException.
    """
    return on(newest(settings, TOPIC, PolicyShadowed).get(KEY.encode()))


def on(found: PolicyShadowed | None) -> PolicyShadowed | None:
    """The newest trial, None where it is over."""
    if found is None or not found.active:
        return None
    return None if found.until is not None and to_millis(found.until) <= now_ms() else found


def beginning(
    candidate: Policy, text: str, live: PolicyReleased, share: float, lasting_ms: int, by: str, reason: str
) -> tuple[PolicyShadowed, AuditRecorded]:
    """The event that begins a trial of the policy in `text`, and its line for the audit trail."""
    now = now_ms()
    begun = PolicyShadowed(
        event_id=fresh_id(now),
        occurred_at=from_millis(now),
        active=True,
        policy_version=candidate.version,
        content_hash=content_hash(text),
        document=text,
        beside=live.policy_version,
        share=share,
        until=from_millis(now + lasting_ms),
        shadowed_by=by,
        reason=reason,
    )
    return begun, _audited(begun)


def ending(
    trial: PolicyShadowed, live: str | None, by: str, reason: str
) -> tuple[PolicyShadowed, AuditRecorded]:
    """The event that ends a trial, `live` being the version of the live policy by now."""
    now = now_ms()
    over = PolicyShadowed(
        event_id=fresh_id(now),
        occurred_at=from_millis(now),
        active=False,
        policy_version=trial.policy_version,
        beside=live,
        shadowed_by=by,
        reason=reason,
    )
    return over, _audited(over)


def _audited(event: PolicyShadowed) -> AuditRecorded:
    return AuditRecorded(
        event_id=fresh_id(),
        occurred_at=event.occurred_at,
        actor=event.shadowed_by,
        actor_kind="cli",
        action="policy.shadowed",
        subject=event.policy_version or "",
        detail={"active": event.active, "beside": event.beside, "reason": event.reason},
    )
