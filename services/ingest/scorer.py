"""Scoring requests together: what waits while one batch is scored is the next batch."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from services.events.types import Score
from services.ingest.live import Live, Serving
from services.runtime.problems import Problem

MOST = (
    256  # texts in one batch: a long queue is scored in several, so that the first need not wait for the last
)
RETRY_SECONDS = 5


@dataclass(frozen=True)
class Scored:
    """Scores of one text, and what was live when it was scored."""

    serving: Serving
    scores: tuple[Score, ...]


class Scorer:
    """Scores in a thread of its own with the model that is live when a batch begins. Use it from one event loop."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._pool = ThreadPoolExecutor(1, "scoring")
        self._waiting: list[tuple[str, asyncio.Future[Scored]]] = []
        self._running: asyncio.Task[None] | None = None

    def serving(self) -> Serving:
        """What is live. Raises Problem 503 while nothing is, saying what to do."""
        if (serving := self._live.serving) is None:
            raise Problem(503, "no verdicts yet", self._live.reason, retry_after=RETRY_SECONDS)
        return serving

    async def score(self, texts: Sequence[str]) -> list[Scored]:
        """Scores of each text, in their order. Raises Problem 503 as `serving` does."""
        self.serving()
        loop = asyncio.get_running_loop()
        futures = [loop.create_future() for _ in texts]
        self._waiting += zip(texts, futures, strict=True)
        if self._running is None or self._running.done():
            self._running = loop.create_task(self._score_waiting())
        return list(await asyncio.gather(*futures))

    def close(self) -> None:
        """End the thread."""
        self._pool.shutdown(cancel_futures=True)

    async def _score_waiting(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
            try:
                found = await asyncio.get_running_loop().run_in_executor(
                    self._pool, scored, self.serving(), [text for text, _ in batch]
                )
            except Exception as error:  # whoever waits is told, and the next batch has its chance
                for _, future in batch:
                    if not future.done():
                        future.set_exception(error)
                continue
            for (_, future), result in zip(batch, found, strict=True):
                if not future.done():  # who asked may have gone
                    future.set_result(result)


def scored(serving: Serving, texts: Sequence[str]) -> list[Scored]:
    """The scores of texts with one model."""
    found = serving.bundle.classifier.classify(texts)
    probability = found.probability.tolist()
    spread = found.disagreement.tolist() if found.disagreement is not None else None
    return [
        Scored(
            serving,
            tuple(
                Score(
                    category=category,
                    probability=min(1.0, max(0.0, row[column])),
                    disagreement=spread[number][column] if spread else None,
                )
                for column, category in enumerate(serving.bundle.categories)
            ),
        )
        for number, row in enumerate(probability)
    ]
