"""Perspective's requests and answers, as documented."""

import json
from typing import Any

import pytest

from services.ingest import perspective_shape as shape
from services.ingest.naming import naming
from services.runtime.problems import Problem

CATEGORIES = ("toxicity", "hate", "spam")


def asked(text: str = "hello", **more: Any) -> shape.Asked:
    body = {"comment": {"text": text}, "requestedAttributes": {"TOXICITY": {}}} | more
    return shape.asked(json.dumps(body).encode())


def refused(**more: Any) -> shape.Unfit:
    with pytest.raises(shape.Unfit) as caught:
        shape.answerable(asked(**more), CATEGORIES, naming())
    return caught.value


@pytest.mark.parametrize(
    ("more", "kind", "message"),
    [
        ({"comment": {}}, "COMMENT_EMPTY", "Comment must be non-empty."),
        ({"text": "x" * 20_481}, "COMMENT_TOO_LONG", "Comment text too long."),
        ({"requestedAttributes": {}}, "NO_REQUESTED_ATTRIBUTES", "Missing requested_attributes"),
        ({"comment": {"text": "x", "type": "HTML"}}, "INVALID_REQUEST", "only 'PLAIN_TEXT' comments"),
        ({"requestedAttributes": {"BOREDOM": {}}}, "INVALID_REQUEST", "Unknown requested attribute: BOREDOM"),
        ({"requestedAttributes": {"TOXICITY": {"scoreType": "STD"}}}, "INVALID_REQUEST", "score type STD"),
        ({"comment": "text"}, "INVALID_REQUEST", "Invalid JSON payload received"),
    ],
)
def test_what_is_wrong_has_the_documented_message(more: dict[str, Any], kind: str, message: str) -> None:
    unfit = refused(**more)
    assert unfit.error_type == kind and message in unfit.message
    error = shape.refusal(unfit)["error"]
    assert (error["code"], error["status"]) == (400, "INVALID_ARGUMENT")
    assert error["details"] == [{"@type": shape.ERROR_TYPE, "errorType": kind}]


def test_a_text_of_20_kb_is_taken() -> None:
    assert asked("x" * 20_480).comment.text


@pytest.mark.parametrize(
    ("more", "attribute", "languages"),
    [
        ({"languages": ["en", "is"]}, "TOXICITY", ["is"]),
        ({"requestedAttributes": {"INSULT": {}}}, "INSULT", ["en"]),
        ({"requestedAttributes": {"INSULT": {}}, "languages": ["en-GB"]}, "INSULT", ["en-GB"]),
    ],
)
def test_what_nothing_answers_is_named_so_that_clients_may_drop_it(
    more: dict[str, Any], attribute: str, languages: list[str]
) -> None:
    unfit = refused(**more)
    assert unfit.error_type == "LANGUAGE_NOT_SUPPORTED_BY_ATTRIBUTE"
    assert unfit.message.startswith(f"Attribute {attribute} does not support request languages: ")
    (detail,) = shape.refusal(unfit)["error"]["details"]
    about = {"detectedLanguages": languages, "attribute": attribute}
    assert detail["languageNotSupportedByAttributeError"] == about
    assert shape.answerable(asked(**more, dropUnsupportedAttributes=True), CATEGORIES, naming()) == {}


def test_categories_answer_under_their_attribute_and_others_under_their_own_name() -> None:
    attributes = {name: {} for name in ("TOXICITY", "IDENTITY_ATTACK", "SPAM", "GORE")}
    found = shape.answerable(asked(requestedAttributes=attributes), (*CATEGORIES, "gore"), naming())
    assert found == {"TOXICITY": "toxicity", "IDENTITY_ATTACK": "hate", "SPAM": "spam", "GORE": "gore"}


def test_sentences_cover_the_text_and_are_bounded() -> None:
    text = "Hi there.  How are you?\nFine! v1.2 is out"
    assert [text[start:end] for start, end in shape.sentences(text)] == [
        "Hi there.",
        "How are you?",
        "Fine!",
        "v1.2 is out",
    ]
    many = "One. " * 1000
    found = shape.sentences(many)
    assert len(found) == 100 and found[0][0] == 0 and found[-1][1] == len(many) - 1
    assert shape.sentences("...") == [(0, 3)]


def test_scores_and_spans_stand_where_clients_look_for_them() -> None:
    text = "🙂 no. yes"
    request = asked(
        text, clientToken="7", requestedAttributes={"TOXICITY": {}, "SPAM": {"scoreThreshold": 0.6}}
    )
    attributes = {"TOXICITY": "toxicity", "SPAM": "spam"}
    scores = {"toxicity": 0.25, "spam": 0.5}
    whole = shape.answer(request, attributes, scores, [], naming())
    assert whole["attributeScores"] == {
        "TOXICITY": {
            "spanScores": [{"begin": 0, "end": 10, "score": {"value": 0.25, "type": "PROBABILITY"}}],
            "summaryScore": {"value": 0.25, "type": "PROBABILITY"},
        }
    }
    assert (whole["languages"], whole["detectedLanguages"], whole["clientToken"]) == (["en"], [], "7")
    spans = [(start, end, {"toxicity": 0.5}) for start, end in shape.sentences(text)]
    split = shape.answer(request, {"TOXICITY": "toxicity"}, scores, spans, naming())
    found = split["attributeScores"]["TOXICITY"]["spanScores"]
    assert [(span["begin"], span["end"]) for span in found] == [(0, 6), (7, 10)]


@pytest.mark.parametrize(
    ("status", "code", "word"),
    [(401, 403, "PERMISSION_DENIED"), (429, 429, "RESOURCE_EXHAUSTED"), (503, 503, "UNAVAILABLE")],
)
def test_problems_have_googles_shape(status: int, code: int, word: str) -> None:
    found, body = shape.error(Problem(status, "title", "what to do"))
    assert (found, body["error"]["code"], body["error"]["status"]) == (code, code, word)
    assert "what to do" in body["error"]["message"]


def test_half_of_a_surrogate_pair_is_named() -> None:
    with pytest.raises(shape.Unfit, match=r"\\ud800 \(byte 22\) is half of a surrogate pair"):
        shape.asked(rb'{"comment": {"text": "\ud800"}}')
