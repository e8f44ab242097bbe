"""What a submission becomes."""

import msgspec
import numpy as np

from services.classifier import core
from services.classifier.summary import Summary
from services.events.codec import decode, encode
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


def scored(event: ContentSubmitted = POST, raw: bytes | None = None, **more: object) -> core.Scored:
    given = {"model_version": "m-1", "categories": CATEGORIES, "row": ([0.25, 0.75], [None, None])} | more
    return core.classified(event, raw or encode(event), accepted=1_000, now=2_000, **given)  # type: ignore[arg-type]


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
    found = Scores(np.array([[0.25, 0.75]], np.float32), np.array([[0.5, 0.125]], np.float32))
    (row,) = core.rows(found)
    assert [score.disagreement for score in decode(ContentClassified, encode(scored(row=row))).scores] == [
        0.5,
        0.125,
    ]
    (row,) = core.rows(Scores(found.probability))
    assert [score.disagreement for score in scored(row=row).scores] == [None, None]


def test_what_a_platform_added_goes_on_untouched() -> None:
    raw = encode(POST).replace(b'"kind":"post"', b'"kind":"post","thread":{"id":7}')
    assert msgspec.json.decode(encode(scored(raw=raw)))["item"]["thread"] == {"id": 7}


def test_the_id_is_of_what_was_submitted_not_of_the_model() -> None:
    assert scored().event_id == scored(model_version="m-2").event_id
    edited = ContentSubmitted(source="demo", item_id="1", revision=3, item=POST.item)
    assert scored().event_id != scored(edited).event_id


def test_a_withdrawal_passes_through_without_scores() -> None:
    gone = ContentSubmitted(source="demo", item_id="1", revision=2, withdrawn=True, item=POST.item)
    event = decode(ContentClassified, encode(scored(gone, row=None)))
    assert event.withdrawn and event.item is None and event.scores == () and event.model_version is None
    assert event.event_id != scored().event_id


def test_a_probability_a_hair_over_one_is_one() -> None:
    over = np.nextafter(np.float32(1), np.float32(2))
    (row,) = core.rows(Scores(np.array([[over, -1e-9]], np.float32)))
    assert [score.probability for score in scored(row=row).scores] == [1.0, 0.0]


def test_a_source_may_only_stand_on_its_own_topic() -> None:
    assert core.forged_source("content.submitted.demo", POST) is None
    assert "content.submitted.demo" in (core.forged_source("content.submitted.forum", POST) or "")


def test_a_summary_counts_what_was_scored_in_its_window() -> None:
    summary = Summary("classifier-0", every=10_000)
    assert summary.take(0) == []
    for probabilities in ([0.0, 1.0], [0.049, 0.95], [0.05, 0.5]):
        summary.add(scored(row=(probabilities, [0.1, 0.2])))
    assert summary.take(9_999) == []
    (event,) = summary.take(10_000)
    assert (event.items, event.model_version) == (3, "m-1")
    histograms = {histogram.category: histogram.counts for histogram in event.histograms}
    assert histograms["toxicity"][:2] == (2, 1)
    assert histograms["spam"][10] == 1 and histograms["spam"][19] == 2
    assert summary.take(20_000) == [], "a window without items says nothing"


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
    event = scored(msgspec.structs.replace(POST, inline=verdict), row=None)
    assert (event.scores, event.model_version, event.inline) == (verdict.scores, "m-0", verdict)
    gone = msgspec.structs.replace(POST, inline=verdict, withdrawn=True)
    assert scored(gone, row=None).inline is None
