"""OpenAI's requests and results, held against the types of the `openai` package."""

import json
from typing import Any

import pytest
from openai.types import Moderation
from openai.types.moderation import Categories

from services.ingest import openai_shape as shape
from services.ingest.core import Verdict
from services.ingest.naming import naming
from services.runtime.problems import Problem
from tests.unit.policy.making import policy

TEXT = shape.Input("x")
PICTURE = {"type": "image_url", "image_url": {"url": "https://media.example/1.png"}}


def asked(given: Any, **more: Any) -> shape.Asked:
    return shape.asked(json.dumps({"input": given} | more).encode())


def verdict(**scores: float) -> Verdict:
    return Verdict(
        decision="review",
        categories=(),
        scores=scores,
        rule=None,
        model_version="starter-1",
        policy_version="trial-1",
    )


def result(given: Verdict, of: shape.Input = TEXT) -> dict[str, Any]:
    return shape.result(given, of, policy(), naming(), "id-1")


def test_a_string_strings_and_parts() -> None:
    assert asked("a") == shape.Asked((shape.Input("a"),), True)
    assert asked(["a", "b"], store=False).inputs == (shape.Input("a"), shape.Input("b"))
    parts = [{"type": "text", "text": "a"}, PICTURE, {"type": "text", "text": "b"}]
    assert asked(parts).inputs == (shape.Input("a\nb", ("https://media.example/1.png",)),)


@pytest.mark.parametrize(
    "given", [[], [1], [PICTURE], ["a", PICTURE], [{"type": "audio"}], {"text": "a"}, None, ["a"] * 101]
)
def test_what_cannot_be_answered_is_refused_with_what_to_send(given: Any) -> None:
    with pytest.raises(shape.Unfit, match=r"input|part|pictures"):
        asked(given)


def test_half_of_a_surrogate_pair_is_named() -> None:
    with pytest.raises(shape.Unfit, match=r"\\ud800 \(byte 11\) is half of a surrogate pair"):
        shape.asked(rb'{"input": "\ud800"}')


def test_a_category_is_true_from_where_the_policy_acts_and_null_where_nobody_looked() -> None:
    found = result(verdict(toxicity=0.9, hate=0.79, spam=0.95))
    assert found["flagged"] and found["categories"]["harassment"] is True
    assert found["categories"]["hate"] is False  # from 0.8 on
    assert (found["categories"]["spam"], found["category_scores"]["spam"]) == (True, 0.95)
    assert (found["categories"]["violence"], found["category_scores"]["violence"]) == (None, None)
    assert found["category_applied_input_types"]["violence"] == []
    assert "violence" in found["sluicegate"]["unanswered"]["categories"]
    assert result(verdict(toxicity=0.5))["flagged"] is False
    assert result(verdict(gore=0.6))["categories"]["gore"] is True  # the policy has no threshold: from 0.5 on


def test_pictures_are_said_not_to_be_answered() -> None:
    found = result(verdict(toxicity=0.9), shape.Input("x", ("https://a", "https://b")))
    assert found["sluicegate"]["unanswered"]["images"] == 2
    assert found["category_applied_input_types"]["harassment"] == ["text"]


def test_the_table_has_every_category_that_the_package_expects() -> None:
    expected = {field.alias or name for name, field in Categories.model_fields.items()}
    assert set(naming().openai) == expected
    read = Moderation.construct(**result(verdict(toxicity=0.9, hate=0.1, spam=0.1)))
    assert read.categories.harassment is True and read.categories.self_harm_intent is None


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (401, "invalid_request_error", "invalid_api_key"),
        (413, "invalid_request_error", None),
        (429, "requests", "rate_limit_exceeded"),
        (503, "server_error", "service_unavailable"),
    ],
)
def test_problems_have_openais_shape(status: int, kind: str, code: str | None) -> None:
    found, body = shape.error(Problem(status, "title", "what to do"))
    assert found == status
    assert body["error"] == {"message": "what to do", "type": kind, "param": None, "code": code}
