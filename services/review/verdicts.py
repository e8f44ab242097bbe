"""Recording verdicts: reserve the seat in Redis, have Kafka acknowledge, mark it. In this order nothing is lost where
the process dies in between: the feed sees what Kafka has, and a reservation runs out.
"""

from dataclasses import dataclass
from typing import Any

import msgspec
import structlog
from redis import RedisError

from services.events.ids import derived_id, item_key
from services.events.instants import from_millis
from services.events.types import ReviewCompleted, Span
from services.review.core.answers import REFUSALS, already, foreign, outside
from services.review.core.changes import Completed, change_of, remembered
from services.review.problems import Problem, problem_of
from services.review.queue import Handout, Lease, No, Queue, Queues
from services.review.settings import ApiSettings
from services.runtime.acknowledged import AcknowledgedProducer, NotAcknowledged
from services.runtime.publishing import Publisher

log = structlog.get_logger()


@dataclass(frozen=True)
class Opinion:
    """What a person says of a task."""

    action: str
    categories: tuple[str, ...] = ()
    spans: tuple[Span, ...] = ()
    seconds_spent: float | None = None
    confidence: float | None = None
    note: str | None = None


class _Sheet(msgspec.Struct):
    """What of a task's sheet a verdict needs."""

    source: str
    item_id: str
    revision: int
    decision_seq: int


class _Text(msgspec.Struct):
    text: str | None = None


class _Choice(msgspec.Struct):
    """What of a task's sheet may be chosen: categories, and parts of the text."""

    categories: list[str]
    item: _Text


def verdict_id_of(lease: Lease, token: str) -> str:
    """One verdict a lease: sent twice it is the same verdict."""
    return derived_id("verdict", lease.task_id, lease.seat, lease.person, token)


class Verdicts:
    """Takes verdicts and takes them back."""

    def __init__(
        self, settings: ApiSettings, queues: Queues, producer: AcknowledgedProducer, publisher: Publisher
    ) -> None:
        self._settings, self._queues = settings, queues
        self._producer, self._publisher = producer, publisher

    def record(self, lease: Lease, token: str, opinion: Opinion) -> dict[str, Any]:
        """What was recorded, once Kafka has it. Raises Problem and redis.RedisError; then nothing is recorded, or the
        same sent again is the same verdict."""
        queue, verdict_id = self._queues.get(lease.queue), verdict_id_of(lease, token)
        body = queue.body(lease.task_id)
        if body is not None:  # otherwise the task is over, and the reservation says why
            self._permit(body, opinion)
        undo_ms = int(self._settings.review_undo_seconds * 1000) + self._settings.review_undo_margin_ms
        kept = queue.reserve(lease, verdict_id, self._settings.review_pending_ms, undo_ms)
        if isinstance(kept, No):
            if kept.code == "recorded":
                return self._answer(_same(msgspec.json.decode(kept.why), opinion))
            raise problem_of(kept)
        if body is None:  # its queue came back in between
            queue.unreserve(lease, verdict_id)
            raise Problem(REFUSALS["rebuilding"])
        sheet = msgspec.json.decode(kept.body, type=_Sheet)
        event = ReviewCompleted(
            event_id=verdict_id,
            occurred_at=from_millis(kept.now),
            task_id=lease.task_id,
            source=sheet.source,
            item_id=sheet.item_id,
            revision=sheet.revision,
            decision_seq=sheet.decision_seq,
            queue=lease.queue,
            verdict_id=verdict_id,
            reviewer=lease.person,
            seat=lease.seat,
            action=opinion.action,  # type: ignore[arg-type]
            categories=opinion.categories,
            spans=opinion.spans,
            seconds_spent=opinion.seconds_spent,
            confidence=opinion.confidence,
            note=opinion.note,
            final_at=from_millis(kept.final_at),
        )
        try:
            self._send(event)
        except NotAcknowledged as error:
            log.warning("verdict not acknowledged", task=lease.task_id, error=str(error))
            queue.unreserve(lease, verdict_id)
            raise Problem(REFUSALS["unacknowledged"]) from error
        self._mark(queue, event)
        return self._answer(remembered(event))

    def _permit(self, body: bytes, opinion: Opinion) -> None:
        choice = msgspec.json.decode(body, type=_Choice)
        known = {*choice.categories, *self._settings.categories()}
        named = {*opinion.categories, *(span.category for span in opinion.spans if span.category)}
        if named - known:
            raise Problem(foreign(named - known, known))
        length = len(choice.item.text or "")
        for span in opinion.spans:
            if not span.start < span.end <= length:
                raise Problem(outside(span.start, span.end, length))

    def take_back(self, verdict_id: str, person: str) -> Handout | None:
        """The task of a verdict that was taken back, the person's again; None while its queue is being rebuilt.

        Raises Problem and redis.RedisError.
        """
        queue, record, now, again = self._find(verdict_id, person)
        event = ReviewCompleted(
            event_id=derived_id("retraction", verdict_id),
            occurred_at=from_millis(now),
            task_id=record["task_id"],
            source=record["source"],
            item_id=record["item_id"],
            revision=record["revision"],
            decision_seq=record["decision_seq"],
            queue=queue.name,
            verdict_id=verdict_id,
            retraction=True,
            reviewer=person,
            seat=record["seat"],
            final_at=record["final_at"],
        )
        if not again:
            try:
                self._send(event)
            except NotAcknowledged as error:
                raise Problem(REFUSALS["unacknowledged"]) from error
        given = queue.give_back(_change(event))
        if isinstance(given, Handout):
            return given
        if given.code == "rebuilding":
            return None
        raise problem_of(given)

    def _find(self, verdict_id: str, person: str) -> tuple[Queue, dict[str, Any], int, bool]:
        worst = No("no_verdict")
        for name in self._queues.names():
            queue = self._queues.get(name)
            found = queue.find(verdict_id, person, self._settings.review_undo_margin_ms)
            if not isinstance(found, No):
                raw, now, again = found
                return queue, msgspec.json.decode(raw), now, again
            if found.code != "unknown":
                worst = found
        raise problem_of(worst)

    def _send(self, event: ReviewCompleted) -> None:
        key = item_key(event.source, event.item_id)
        timeout = self._settings.acknowledge_ms / 1000 + 1  # the producer gives up before
        self._producer.send_all([self._publisher.outgoing(event, key)], timeout)

    def _mark(self, queue: Queue, event: ReviewCompleted) -> None:
        try:
            winner = queue.mark(_change(event))
        except RedisError as error:
            log.warning("verdict not marked: the feed will", task=event.task_id, error=str(error))
            return
        if winner and winner != event.verdict_id:
            raise Problem(REFUSALS["seat_taken"])

    def _answer(self, record: dict[str, Any]) -> dict[str, Any]:
        final_at: int = record.pop("final_at_ms")
        record["undo_until"] = from_millis(final_at - self._settings.review_undo_margin_ms)
        return record


def _same(record: dict[str, Any], opinion: Opinion) -> dict[str, Any]:
    """What is recorded, if this says the same again: a lease has one verdict."""
    if (record["action"], set(record["categories"])) != (opinion.action, set(opinion.categories)):
        raise Problem(already(record["action"], record["categories"]))
    return record


def _change(event: ReviewCompleted) -> Completed:
    found = change_of(event)
    assert found is not None and isinstance(found[1], Completed)
    return found[1]
