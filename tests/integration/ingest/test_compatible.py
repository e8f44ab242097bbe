"""Clients that exist, pointed at ingest: the real `openai` package, and Perspective's documented requests."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import openai
import pytest

from services.retrainer.release import release_bundle
from tests.integration.analytics.running import World, committed, wait_until
from tests.integration.ingest.inline_line import BORDERLINE, HARMLESS, INSULT, STARTER, Line, running

ANALYZE = "/v1alpha1/comments:analyze"
SECRET_WORDS = "purple elephants whisper"


@pytest.fixture(scope="module")
def cold(world: World) -> Iterator[Line]:
    """Ingest before anything is live."""
    with running(world) as line:
        yield line


@pytest.fixture(scope="module")
def line(cold: Line) -> Line:
    """With the starter model and policy."""
    release_bundle(cold.settings, STARTER, released_by="test", reason="test")
    cold.release()
    return cold


@pytest.fixture
def client(line: Line) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{line.client.base_url}/v1", api_key=line.key, max_retries=0) as client:
        yield client


def analyze(line: Line, text: str = INSULT, **more: Any) -> httpx.Response:
    """The documented quickstart: the key in the query, nothing in the headers."""
    body = {"comment": {"text": text}, "requestedAttributes": {"TOXICITY": {}}} | more
    return httpx.post(f"{line.client.base_url}{ANALYZE}", params={"key": line.key}, json=body, timeout=60)


def test_before_anything_is_live_each_says_so_in_its_own_shape(cold: Line) -> None:
    with (
        openai.OpenAI(base_url=f"{cold.client.base_url}/v1", api_key=cold.key, max_retries=0) as client,
        pytest.raises(openai.InternalServerError) as caught,
    ):
        client.moderations.create(input=HARMLESS)
    assert caught.value.status_code == 503 and caught.value.type == "server_error"
    assert int(caught.value.response.headers["retry-after"]) > 0
    answer = analyze(cold)
    assert (answer.status_code, answer.json()["error"]["status"]) == (503, "UNAVAILABLE")


def test_the_openai_package_works(line: Line, client: openai.OpenAI) -> None:
    answer = client.moderations.create(model="omni-moderation-latest", input=[INSULT, HARMLESS, BORDERLINE])
    assert answer.id.startswith("modr-") and answer.model.startswith("starter-")
    insult, harmless, borderline = answer.results
    assert insult.flagged and insult.categories.harassment and insult.category_scores.harassment > 0.95
    assert insult.category_applied_input_types.harassment == ["text"]
    assert not harmless.flagged and harmless.categories.harassment is False
    assert not borderline.flagged
    ours = [result.model_extra["sluicegate"] for result in answer.results if result.model_extra]
    assert [each["decision"] for each in ours] == ["remove", "allow", "review"]
    assert insult.categories.violence is None and insult.category_scores.violence is None  # nobody looked
    assert insult.category_applied_input_types.violence == []
    assert "violence" in ours[0]["unanswered"]["categories"]
    assert (insult.categories.model_extra or {})["spam"] is False
    (stored,) = line.events("content.submitted.demo", ours[0]["item_id"])
    assert (stored["item"]["text"], stored["inline"]["action"]) == (INSULT, "remove")


def test_parts_are_one_text_and_pictures_are_said_not_to_be_answered(
    line: Line, client: openai.OpenAI
) -> None:
    picture: Any = {"type": "image_url", "image_url": {"url": "https://media.example/1.png"}}
    text: Any = {"type": "text", "text": INSULT}
    (result,) = client.moderations.create(model="omni-moderation-latest", input=[text, picture]).results
    ours = (result.model_extra or {})["sluicegate"]
    assert result.flagged and ours["unanswered"]["images"] == 1
    (stored,) = line.events("content.submitted.demo", ours["item_id"])
    assert stored["item"]["media"][0]["url"] == "https://media.example/1.png"
    with pytest.raises(openai.BadRequestError, match="pictures alone") as caught:
        client.moderations.create(model="omni-moderation-latest", input=[picture])
    assert caught.value.param == "input"


def test_errors_are_those_that_the_package_knows(line: Line) -> None:
    with (
        openai.OpenAI(base_url=f"{line.client.base_url}/v1", api_key="sk_wrong", max_retries=0) as stranger,
        pytest.raises(openai.AuthenticationError) as caught,
    ):
        stranger.moderations.create(input=HARMLESS)
    assert caught.value.code == "invalid_api_key"
    for body in (b"{", b"[]", b'{"input": []}', b'{"input": [1]}', b'{"input": [{"type": "audio"}]}'):
        answer = line.client.post("/v1/moderations", content=body)
        assert answer.status_code == 400, answer.text
        assert answer.json()["error"]["type"] == "invalid_request_error"


def test_perspectives_quickstart_works(line: Line) -> None:
    answer = analyze(line, languages=["en"], clientToken="42", sessionId="s-1", communityId="forum")
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert found["attributeScores"]["TOXICITY"]["summaryScore"]["value"] > 0.95
    assert found["attributeScores"]["TOXICITY"]["summaryScore"]["type"] == "PROBABILITY"
    assert (found["languages"], found["clientToken"]) == (["en"], "42")
    (stored,) = line.events("content.submitted.demo", answer.headers["sluicegate-item-id"])
    assert stored["item"]["context"] == {"api": "perspective", "session_id": "s-1", "community_id": "forum"}


def test_spans_count_utf16_units_and_have_scores_of_their_own(line: Line) -> None:
    text = f"🙂 {HARMLESS}. {INSULT}!"
    attributes = {"TOXICITY": {"scoreThreshold": 0.5}, "SPAM": {"scoreThreshold": 0.9}}
    answer = analyze(line, text, spanAnnotations=True, requestedAttributes=attributes).json()
    assert list(answer["attributeScores"]) == ["TOXICITY"]  # spam lies below its threshold
    first, second = answer["attributeScores"]["TOXICITY"]["spanScores"]
    assert first["score"]["value"] < 0.2 < 0.9 < second["score"]["value"]
    units = text.encode("utf-16-le")
    assert units[2 * second["begin"] : 2 * second["end"]].decode("utf-16-le") == f"{INSULT}!"


def test_do_not_store_means_that_no_text_leaves_the_process(line: Line) -> None:
    answer = analyze(line, f"{SECRET_WORDS} {INSULT}", doNotStore=True, spanAnnotations=True)
    assert answer.status_code == 200 and "sluicegate-item-id" not in answer.headers
    body = {"input": f"{SECRET_WORDS} again", "store": False}
    result = line.client.post("/v1/moderations", json=body).json()["results"][0]
    assert result["sluicegate"]["item_id"] is None
    kept = line.client.post("/v1/moderations", json={"input": "stored after it"}).json()["results"][0]
    wait_until(
        lambda: line.events("content.submitted.demo", kept["sluicegate"]["item_id"]), 30, "the later one"
    )
    words = SECRET_WORDS.encode()
    assert not [place for place, (_, value) in committed(line.world.kafka).items() if words in (value or b"")]
    logs = list(line.world.var.glob("*.log"))
    assert logs and not [path for path in logs if words in path.read_bytes()]
    assert not [key for key in line.redis_keys() if b"purple" in key]


@pytest.mark.parametrize(
    ("more", "status", "kind"),
    [
        ({"comment": {"text": "  "}}, "INVALID_ARGUMENT", "COMMENT_EMPTY"),
        ({"comment": {"text": "é" * 10_241}}, "INVALID_ARGUMENT", "COMMENT_TOO_LONG"),
        ({"requestedAttributes": {}}, "INVALID_ARGUMENT", "NO_REQUESTED_ATTRIBUTES"),
        ({"requestedAttributes": {"BOREDOM": {}}}, "INVALID_ARGUMENT", "INVALID_REQUEST"),
        ({"languages": ["is"]}, "INVALID_ARGUMENT", "LANGUAGE_NOT_SUPPORTED_BY_ATTRIBUTE"),
    ],
)
def test_what_cannot_be_answered_has_the_documented_error(
    line: Line, more: dict[str, Any], status: str, kind: str
) -> None:
    answer = analyze(line, **more)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["status"]) == (400, 400, status)
    assert error["message"] and error["details"][0]["errorType"] == kind
    assert error["details"][0]["@type"].endswith("commentanalyzer.v1alpha1.Error")


def test_an_attribute_that_no_model_here_answers_is_refused_or_dropped(line: Line) -> None:
    wanted = {"requestedAttributes": {"TOXICITY": {}, "THREAT": {}}}
    (detail,) = analyze(line, **wanted).json()["error"]["details"]
    assert detail["languageNotSupportedByAttributeError"]["attribute"] == "THREAT"
    dropped = analyze(line, **wanted, dropUnsupportedAttributes=True).json()
    assert list(dropped["attributeScores"]) == ["TOXICITY"]


def test_without_a_key_google_says_permission_denied(line: Line) -> None:
    body = {"comment": {"text": "x"}, "requestedAttributes": {"TOXICITY": {}}}
    answer = httpx.post(f"{line.client.base_url}{ANALYZE}", json=body)
    assert (answer.status_code, answer.json()["error"]["status"]) == (403, "PERMISSION_DENIED")
    header = {"X-Goog-Api-Key": line.key}
    assert httpx.post(f"{line.client.base_url}{ANALYZE}", json=body, headers=header).status_code == 200
    assert json.loads(answer.text)["error"]["message"].startswith("The request is missing a valid API key")
