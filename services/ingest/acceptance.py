"""Accepting: quota, repeats, Kafka's acknowledgement, and what each item is answered."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from services.ingest.core import Refused, Submission
from services.ingest.memory import Admission, Memory
from services.ingest.metrics import IngestMetrics
from services.runtime.acknowledged import AcknowledgedProducer, NotAcknowledged
from services.runtime.apikeys import ApiKey
from services.runtime.clock import now_ms
from services.runtime.problems import Problem
from services.runtime.publishing import Publisher

RETRY_SECONDS = 2  # after which a caller may ask again where Kafka is away
Decide: TypeAlias = Callable[[Sequence[Submission]], Awaitable[list[Submission]]]
"""Gives submissions that may be produced their verdicts, in their order. May raise Problem."""


@dataclass(frozen=True)
class Answer:
    """What becomes of one item: accepted (202), accepted with a verdict (200), or a problem."""

    submission: Submission | None = None
    problem: Problem | None = None

    @property
    def status(self) -> int:
        if self.problem is not None:
            return self.problem.status
        return 202 if self.submission is None or self.submission.verdict is None else 200

    def document(self) -> dict[str, Any]:
        """The answer as JSON has it."""
        found: dict[str, Any] = {"status": self.status}
        if self.submission is not None:
            event = self.submission.event
            found |= {"item_id": event.item_id, "revision": event.revision}
            if self.problem is None:
                found |= {"event_id": event.event_id, "source": event.source}
                if self.submission.verdict is not None:
                    found |= self.submission.verdict.document()
        if self.problem is not None:
            found |= self.problem.document()
        return found


class Acceptance:
    """Takes items of any number of requests at once."""

    def __init__(
        self, memory: Memory, producer: AcknowledgedProducer, publisher: Publisher, metrics: IngestMetrics
    ) -> None:
        self._memory = memory
        self._producer = producer
        self._publisher = publisher
        self._metrics = metrics

    async def accept(
        self,
        key: ApiKey,
        wanted: Sequence[Submission | Refused],
        decide: Decide | None = None,
        store: bool = True,
    ) -> list[Answer]:
        """An answer for each, in order. One that is refused harms no other.

        With `decide` each is answered with a verdict. Without `store` nothing of them leaves this process.
        """
        good = [each for each in wanted if isinstance(each, Submission)]
        admission = await self._memory.admit(key.key_id, key.quota, len(wanted), good, claim=store)
        known = iter(zip(admission.known, admission.claimed, strict=True))
        taken: dict[tuple[str, int, bool], str] = {}  # by which content, in this call: Redis may be away
        answers: list[Answer] = []
        to_send: list[int] = []
        unsent: list[Submission] = []
        for number, each in enumerate(wanted):
            before, claimed = next(known) if isinstance(each, Submission) else (None, None)
            if number >= admission.granted:
                known_as = each if isinstance(each, Submission) else None
                answers.append(Answer(known_as, _over_quota(key, admission)))
                unsent += (
                    [known_as] if known_as and before is None and claimed == known_as.fingerprint else []
                )
            elif isinstance(each, Refused):
                answers.append(Answer(problem=problem_of(each)))
            elif before is None:
                first = taken.setdefault(_revision(each), claimed or each.fingerprint)
                if first == each.fingerprint:
                    answers.append(Answer(each))
                    to_send.append(number)
                else:
                    answers.append(Answer(each, _conflict(each)))
            elif before.fingerprint != each.fingerprint:
                answers.append(Answer(each, _conflict(each)))
            elif decide is not None and before.verdict is None:
                answers.append(Answer(each, _without_verdict(each)))
            else:
                self._metrics.repeats.inc()
                answers.append(Answer(replace(each, verdict=before.verdict if decide else None)))
        chosen = [found for n in to_send if (found := answers[n].submission) is not None]
        if store:
            await self._memory.release(unsent)
        if decide is not None and to_send:
            try:
                decided = await decide(chosen)
            except Problem:
                await self._memory.release(chosen if store else [])
                raise
            for number, submission in zip(to_send, decided, strict=True):
                answers[number] = Answer(submission)
        if store:
            await self._send(answers, to_send)
        for answer in answers:
            self._metrics.items.labels(str(answer.status)).inc()
        return answers

    async def spend(self, key: ApiKey, count: int) -> None:
        """Spend quota for what is asked and not sent. Raises Problem 429."""
        admission = await self._memory.admit(key.key_id, key.quota, count, [])
        if admission.granted < count:
            raise _over_quota(key, admission)

    async def _send(self, answers: list[Answer], numbers: list[int]) -> None:
        started = time.monotonic()
        sent = [(number, answers[number].submission) for number in numbers]
        futures = [
            asyncio.wrap_future(self._producer.send(self._publisher.outgoing(each.event, each.key)))
            for _, each in sent
            if each is not None
        ]
        results = await asyncio.gather(*futures, return_exceptions=True)
        if sent:
            self._metrics.ack_seconds.observe(time.monotonic() - started)
        kept: list[Submission] = []
        for (number, each), result in zip(sent, results, strict=True):
            assert each is not None
            if result is None:
                kept.append(each)
            elif isinstance(result, NotAcknowledged):
                answers[number] = Answer(each, _away(result))
            else:
                raise result
        await self._memory.remember(kept, now_ms())


def _revision(each: Submission) -> tuple[str, int, bool]:
    return each.key, each.event.revision, each.event.withdrawn


def problem_of(refused: Refused) -> Problem:
    """What is wrong with an item, as HTTP says it."""
    return Problem(refused.status, refused.title, refused.detail, pointer=refused.pointer)


def _over_quota(key: ApiKey, admission: Admission) -> Problem:
    detail = f"the key may send {key.quota} items a minute: go on in {admission.retry_after} s"
    return Problem(429, "over quota", detail, retry_after=admission.retry_after)


def _conflict(each: Submission) -> Problem:
    event = each.event
    detail = (
        f"revision {event.revision} of {event.item_id} belongs to other content, which came first: "
        "send an edit as a higher revision"
    )
    return Problem(409, "revision taken", detail, pointer="/revision")


def _without_verdict(each: Submission) -> Problem:
    event = each.event
    detail = (
        f"revision {event.revision} of {event.item_id} was accepted without a verdict, so the loop decides it: "
        f"ask GET /v1/items/{event.item_id}, or send a higher revision"
    )
    return Problem(409, "decided elsewhere", detail, pointer="/revision")


def _away(error: NotAcknowledged) -> Problem:
    detail = f"Kafka did not acknowledge ({error}): send the same again, it is the same item"
    return Problem(503, "not acknowledged", detail, retry_after=RETRY_SECONDS)
