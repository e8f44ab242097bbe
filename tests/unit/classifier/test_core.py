"""What a submission becomes."""

import msgspec
import numpy as np
import pytest

from services.classifier import core
from services.events.codec import decode, encode
from services.events.submission import read
from services.events.types import (
    Circumstances,
    ContentClassified,
    ContentSubmitted,
    InlineVerdict,
    Item,
    Score,
)
from services.scoring.scores import Scores

POST = ContentSubmitted(source="demo", item_id="1", revision=2, item=Item(kind="post", text="Hello"))
CATEGORIES = ("toxicity", "spam")


def scores(
    probability: list[float], disagreement: list[float] | None = None
) -> tuple[core.CategoryScore, ...]:
    """Of one text."""
    spread = None if disagreement is None else np.array([disagreement])
    (found,) = core.scores_of(CATEGORIES, Scores(np.array([probability]), spread))
    return found


def scored(event: ContentSubmitted = POST, raw: bytes | None = None, **more: object) -> core.Scored:
    given = {"model_version": "m-1", "scores": scores([0.25, 0.75])} | more
    return core.classified(*read(raw or encode(event)), accepted=1_000, now=2_000, **given)  # type: ignore[arg-type]


def test_it_carries_the_item_and_a_score_for_each_category() -> None:
    event = decode(ContentClassified, encode(scored()))
    assert event.item == POST.item
    assert [(score.category, score.probability) for score in event.scores] == [
        ("toxicity", 0.25),
        ("spam", 0.75),
    ]
    assert (event.model_version, event.tier) == ("m-1", "fast")
    assert event.accepted_at == "1970-01-01T00:00:01.000Z"


def test_a_committee_says_how_far_its_heads_are_apart() -> None:
    event = decode(ContentClassified, encode(scored(scores=scores([0.25, 0.75], [0.5, 0.125]))))
    assert [score.disagreement for score in event.scores] == [0.5, 0.125]
    assert [score.disagreement for score in scored().scores] == [None, None]


def test_each_text_of_a_batch_gets_its_own_scores() -> None:
    found = Scores(np.array([[0.25, 0.75], [0.5, 1.0]], np.float32), np.zeros((2, 2), np.float32))
    assert [[score.probability for score in of] for of in core.scores_of(CATEGORIES, found)] == [
        [0.25, 0.75],
        [0.5, 1.0],
    ]
    none = np.zeros((0, 2), np.float32)
    assert list(core.scores_of(CATEGORIES, Scores(none, none))) == []


def test_columns_and_categories_must_agree() -> None:
    with pytest.raises(ValueError, match="shorter"):
        list(core.scores_of(("spam", "hate", "other"), Scores(np.zeros((2, 2), np.float32))))


def test_what_a_platform_added_goes_on_untouched() -> None:
    raw = encode(POST).replace(b'"kind":"post"', b'"kind":"post","thread":{"id":7}')
    assert msgspec.json.decode(encode(scored(raw=raw)))["item"]["thread"] == {"id": 7}


def test_the_id_is_of_what_was_submitted_not_of_the_model() -> None:
    assert scored().event_id == scored(model_version="m-2").event_id
    edited = ContentSubmitted(source="demo", item_id="1", revision=3, item=POST.item)
    assert scored().event_id != scored(edited).event_id


def test_a_withdrawal_passes_through_without_scores() -> None:
    gone = ContentSubmitted(source="demo", item_id="1", revision=2, withdrawn=True, item=POST.item)
    event = decode(ContentClassified, encode(scored(gone)))
    assert event.withdrawn and event.item is None and event.scores == () and event.model_version is None
    assert event.event_id != scored().event_id


def test_a_probability_a_hair_over_one_is_one() -> None:
    over = np.nextafter(np.float32(1), np.float32(2))
    assert [score.probability for score in scores([over, -1e-9])] == [1.0, 0.0]


def test_a_source_may_only_stand_on_its_own_topic() -> None:
    event, _ = read(encode(POST))
    assert core.forged_source("content.submitted.demo", event) is None
    assert "content.submitted.demo" in (core.forged_source("content.submitted.forum", event) or "")


def test_what_was_decided_in_line_keeps_the_scores_that_it_was_decided_with() -> None:
    verdict = InlineVerdict(
        action="allow",
        scores=(Score(category="toxicity", probability=0.125),),
        circumstances=Circumstances(automation=True),
        model_version="m-0",
        policy_version="p-1",
        decided_at="2026-01-31T12:00:00.000Z",
        signature="5f" * 32,
    )
    event = scored(msgspec.structs.replace(POST, inline=verdict))
    assert (event.model_version, event.inline) == ("m-0", verdict)
    assert decode(ContentClassified, encode(event)).scores == verdict.scores
    gone = msgspec.structs.replace(POST, inline=verdict, withdrawn=True)
    assert scored(gone).inline is None
