"""Explanations on demand: exact for the linear model, bounded for others."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from services.ingest.core import Refused
from services.ingest.explanation import MAX_CHARACTERS, PIECES, Question, explained, question
from services.ingest.live import Serving
from services.ingest.scorer import scored
from services.policy.precedents import Precedents
from services.scoring.bundle import load
from services.scoring.scores import Scores
from tests.unit.policy.making import policy

STARTER = Path(__file__).parents[3] / "infra" / "starter"


def test_the_linear_model_is_explained_exactly_in_characters_of_the_text_as_given() -> None:
    bundle = load(STARTER)
    text = "🙂 you ｉｄｉｏｔ"
    (found,) = scored(Serving(bundle, policy(), frozenset(), Precedents(1)), [text])
    answer = explained(found, Question(text, ("toxicity",)))
    assert (answer["method"], answer["exact"], answer["model_version"]) == (
        "attribution",
        True,
        bundle.model_version,
    )
    of = answer["categories"]["toxicity"]
    assert of["probability"] == found.scores[0].probability
    assert (of["spans"][0]["text"], of["spans"][0]["start"], of["spans"][0]["end"]) == ("ｉｄｉｏｔ", 6, 11)
    weights = [abs(span["weight"]) for span in of["spans"]]
    assert weights == sorted(weights, reverse=True)
    assert of["ngrams"] and isinstance(of["bias"], float)
    assert list(explained(found, Question(text))["categories"]) == list(bundle.categories)


class Lengths:
    """A model that is not linear: the longer the text, the more toxic."""

    model_version, categories, linear, operating_points = "lengths-1", ("toxicity",), False, ()

    def __init__(self) -> None:
        self.asked = 0

    @property
    def classifier(self) -> "Lengths":
        return self

    def classify(self, texts: Sequence[str]) -> Scores:
        self.asked += len(texts)
        return Scores(np.array([[min(0.9, len(text) / 10_000)] for text in texts], np.float32))


def test_other_models_are_asked_again_without_parts_of_the_text_a_bounded_number_of_times() -> None:
    model: Any = Lengths()
    text = "word " * 2000
    (found,) = scored(Serving(model, policy(), frozenset(), Precedents(1)), [text])
    model.asked = 0
    answer = explained(found, Question(text, limit=5))
    assert (answer["method"], answer["exact"]) == ("occlusion", False)
    assert model.asked <= PIECES + 1
    of = answer["categories"]["toxicity"]
    assert len(of["spans"]) == 5 and of["ngrams"] == [] and of["bias"] is None


@pytest.mark.parametrize(
    ("body", "status", "pointer"),
    [
        ({"text": "x", "categories": ["toxicity", "boredom"]}, 422, "/categories/1"),
        ({"text": "x" * (MAX_CHARACTERS + 1)}, 413, "/text"),
        ({"text": "x", "limit": 0}, 422, None),
        ({"text": "x", "more": 1}, 422, None),
        ({}, 422, None),
        ([], 422, None),
    ],
)
def test_a_bad_question_is_refused_with_its_place(body: Any, status: int, pointer: str | None) -> None:
    with pytest.raises(Refused) as caught:
        question(json.dumps(body).encode(), ("toxicity",))
    assert (caught.value.status, caught.value.pointer) == (status, pointer)


def test_half_of_a_surrogate_pair_is_named() -> None:
    with pytest.raises(Refused, match=r"\\ud800 \(byte 10\) is half of a surrogate pair"):
        question(rb'{"text": "\ud800"}', ("toxicity",))
