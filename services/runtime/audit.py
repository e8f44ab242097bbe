"""Who did what, as audit.recorded."""

from typing import Any

import structlog

from services.events.fresh import fresh_id
from services.events.instants import from_millis
from services.events.types import ActorKind, AuditRecorded
from services.runtime.acknowledged import AcknowledgedProducer
from services.runtime.clock import now_ms
from services.runtime.publishing import Publisher

log = structlog.get_logger()


class Audit:
    """Records what accounts or keys do through one service. `note` does not wait for Kafka, `insist` does."""

    def __init__(self, producer: AcknowledgedProducer, publisher: Publisher, kind: ActorKind) -> None:
        self._producer, self._publisher, self._kind = producer, publisher, kind

    def note(
        self,
        actor: str,
        action: str,
        subject: str,
        detail: dict[str, Any] | None = None,
        source: str | None = None,
    ) -> None:
        """Record it without delaying who does it; a loss is logged."""
        event = recorded(actor, self._kind, action, subject, detail, source)
        future = self._producer.send(self._publisher.outgoing(event, actor))
        future.add_done_callback(
            lambda done: done.exception() and log.error("not audited", action=action, subject=subject)
        )

    def insist(self, actor: str, action: str, subject: str, detail: dict[str, Any] | None = None) -> None:
        """Record before it is done. Raises NotAcknowledged."""
        event = recorded(actor, self._kind, action, subject, detail)
        self._producer.send_all([self._publisher.outgoing(event, actor)])


def recorded(
    actor: str,
    kind: ActorKind,
    action: str,
    subject: str,
    detail: dict[str, Any] | None = None,
    source: str | None = None,
) -> AuditRecorded:
    """The event of something done now."""
    now = now_ms()
    return AuditRecorded(
        event_id=fresh_id(now),
        occurred_at=from_millis(now),
        actor=actor,
        actor_kind=kind,
        action=action,
        subject=subject[:400],
        source=source,
        detail=detail,
    )
