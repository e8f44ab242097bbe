"""Requests that wait together are scored together; each gets its own scores, or the error."""

import asyncio
import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from services.ingest.live import Serving
from services.ingest.scorer import MOST, Scorer
from services.policy.precedents import Precedents
from services.runtime.problems import Problem
from services.scoring.scores import Scores
from tests.unit.policy.making import policy


class Model:
    """Scores a text by its length. The first batch waits until it is let go."""

    model_version = "lengths-1"
    categories = ("toxicity",)

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.go = threading.Event()

    @property
    def classifier(self) -> "Model":
        return self

    def classify(self, texts: Sequence[str]) -> Scores:
        self.batches.append(list(texts))
        self.go.wait(10)
        if "broken" in texts:
            raise ValueError("a model that breaks")
        return Scores(np.array([[len(text) / 1000] for text in texts], np.float32))


class Live:
    """What is live, as the scorer looks at it."""

    reason = "no model is live: release one"

    def __init__(self, model: Model | None) -> None:
        made: Any = model
        self.serving = Serving(made, policy(), frozenset(), Precedents(1)) if model else None


def scorer(model: Model | None) -> Scorer:
    live: Any = Live(model)
    return Scorer(live)


def test_what_waits_while_a_batch_is_scored_is_the_next_batch() -> None:
    model = Model()

    async def ask() -> list[float]:
        made = scorer(model)
        first = asyncio.create_task(made.score(["a"]))
        while not model.batches:
            await asyncio.sleep(0.001)
        later = [asyncio.create_task(made.score(["b" * n])) for n in range(2, MOST + 10)]
        await asyncio.sleep(0)
        model.go.set()
        found = [await first, *[await each for each in later]]
        made.close()
        return [scored.scores[0].probability for (scored,) in found]

    probabilities = asyncio.run(ask())
    assert [len(batch) for batch in model.batches] == [1, MOST, 8]
    assert probabilities == pytest.approx([0.001, *(n / 1000 for n in range(2, MOST + 10))])


def test_a_model_that_breaks_is_told_to_those_who_wait_and_to_nobody_after() -> None:
    model = Model()
    model.go.set()

    async def ask() -> int:
        made = scorer(model)
        with pytest.raises(ValueError, match="breaks"):
            await made.score(["broken"])
        found = await made.score(["fine"])
        made.close()
        return len(found)

    assert asyncio.run(ask()) == 1


def test_while_nothing_is_live_it_is_a_503_that_says_what_to_do() -> None:
    with pytest.raises(Problem, match="release one") as caught:
        asyncio.run(scorer(None).score(["a"]))
    assert caught.value.status == 503 and caught.value.retry_after
