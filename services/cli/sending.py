"""Sending items in and waiting for the answer: over HTTP in batches, or straight to Kafka. Both take the same events
and answer in the same words, and go on through a restart of what they talk to.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import wait
from dataclasses import dataclass
from typing import Any, Protocol

import httpx
import msgspec

from services.events.errors import EventError
from services.events.ids import item_key
from services.events.types import ContentSubmitted
from services.runtime.acknowledged import AcknowledgedProducer, NotAcknowledged
from services.runtime.publishing import Publisher

MAX_LINES, MAX_BYTES = 1000, 8_000_000  # of a batch; ingest takes 10 MB
AGAIN = (429, 503)  # answers that say: later
WAIT, LONGEST_WAIT = 0.25, 5.0  # seconds before it is tried again, where nobody says how long


@dataclass(frozen=True)
class Answer:
    """What became of one item: 202, or a status of HTTP and why."""

    status: int
    detail: str = ""


class Sender(Protocol):
    """Sends items; an answer for each, in order."""

    def send(self, items: Sequence[ContentSubmitted]) -> list[Answer]: ...


class HttpSender:
    """Over ingest's batch API, with a key of one source. What is answered 429 or 503, and what is not answered at all,
    is sent again, as long as Retry-After says, for `patience` seconds: the same revision again is the same item.
    """

    def __init__(
        self,
        client: httpx.Client,
        key: str,
        patience: float = 60,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client = client
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/x-ndjson"}
        self._patience = patience
        self._sleep = sleep

    def send(self, items: Sequence[ContentSubmitted]) -> list[Answer]:
        """An answer for each; 503 for those that nobody took in time."""
        lines = [_line(item) for item in items]
        answers: dict[int, Answer] = {}
        for batch in _batches(lines):
            answers |= self._send_batch(batch, lines)
        return [answers[number] for number in range(len(items))]

    def _send_batch(self, batch: list[int], lines: Sequence[bytes]) -> dict[int, Answer]:
        answers: dict[int, Answer] = {}
        waiting, waited, pause = list(batch), 0.0, WAIT
        while waiting:
            found, retry_after = self._ask([lines[number] for number in waiting])
            answers |= dict(zip(waiting, found, strict=True))
            waiting = [number for number in waiting if answers[number].status in AGAIN]
            if waiting and waited >= self._patience:
                break
            if waiting:
                seconds = pause if retry_after is None else retry_after
                self._sleep(seconds)
                waited += seconds
                pause = min(2 * pause, LONGEST_WAIT)
        return answers

    def _ask(self, lines: list[bytes]) -> tuple[list[Answer], float | None]:
        """An answer for each line, and how long to wait, where that was said."""
        try:
            response = self._client.post("/v1/items:batch", content=b"\n".join(lines), headers=self._headers)
        except httpx.TransportError as error:
            return [Answer(503, f"ingest does not answer: {error}")] * len(lines), None
        retry_after = _seconds(response.headers.get("Retry-After"))
        body = _json(response)
        results = body.get("results")
        if results is None:  # the whole batch was refused
            status = 503 if response.status_code >= 500 else response.status_code
            detail = str(body.get("detail") or body.get("title") or response.text[:200])
            return [Answer(status, detail)] * len(lines), retry_after
        return [Answer(each["status"], str(each.get("detail", ""))) for each in results], retry_after


class KafkaSender:
    """Straight to content.submitted.<source>, as a platform may."""

    def __init__(self, producer: AcknowledgedProducer, publisher: Publisher, patience: float = 60) -> None:
        self._producer = producer
        self._publisher = publisher
        self._patience = patience

    def send(self, items: Sequence[ContentSubmitted]) -> list[Answer]:
        """An answer for each: 202 when Kafka has it, 422 for what cannot be written, 503 where Kafka stayed away."""
        deadline = time.monotonic() + self._patience
        answers: dict[int, Answer] = {}
        waiting = list(range(len(items)))
        while True:
            answers |= self._try({number: items[number] for number in waiting})
            waiting = [number for number in waiting if answers[number].status in AGAIN]
            if not waiting or time.monotonic() > deadline:
                break
            time.sleep(WAIT)
        return [answers[number] for number in range(len(items))]

    def _try(self, items: dict[int, ContentSubmitted]) -> dict[int, Answer]:
        answers: dict[int, Answer] = {}
        futures = {}
        for number, item in items.items():
            try:
                out = self._publisher.outgoing(item, item_key(item.source, item.item_id))
            except EventError as error:
                answers[number] = Answer(422, str(error))
                continue
            futures[number] = self._producer.send(out)
        wait(futures.values())  # the producer ends each by itself
        for number, future in futures.items():
            try:
                future.result()
                answers[number] = Answer(202)
            except NotAcknowledged as error:
                answers[number] = Answer(503, str(error))
        return answers


def _line(item: ContentSubmitted) -> bytes:
    """As the batch API takes it: the source is the key's."""
    body: dict[str, Any] = {"item_id": item.item_id, "revision": item.revision}
    body |= {"withdrawn": True} if item.withdrawn else {"item": item.item}
    return msgspec.json.encode(body)


def _batches(lines: Sequence[bytes]) -> Iterator[list[int]]:
    batch: list[int] = []
    size = 0
    for number, line in enumerate(lines):
        if batch and (len(batch) == MAX_LINES or size + len(line) > MAX_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(number)
        size += len(line) + 1
    if batch:
        yield batch


def _seconds(value: str | None) -> float | None:
    try:
        return None if value is None else max(0.0, float(value))
    except ValueError:
        return None


def _json(response: httpx.Response) -> dict[str, Any]:
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
