"""The fast tier's stage: what it hands to the slow one is what it marks as waited for, within the share."""

import dataclasses
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from services.classifier.core import Scored
from services.classifier.slow_tier import SlowTier, Uncertain
from services.classifier.stage import ClassifierStage
from services.classifier.summary import Summary
from services.events.codec import decode, encode
from services.events.instants import to_millis
from services.events.topics import load_topics
from services.events.types import (
    Circumstances,
    ContentClassified,
    ContentSubmitted,
    ContentUncertain,
    InlineVerdict,
    Item,
    Score,
    ScoresSummarized,
)
from services.policy.inline import signed
from services.runtime.handling import handle_batch
from services.runtime.publishing import Publisher
from services.runtime.records import Outgoing, Record
from services.runtime.states import States
from services.scoring.bundle import load
from services.scoring.live_model import LiveModel

SECRET = b"s" * 32
STARTER = Path(__file__).parents[3] / "infra" / "starter"
NOW = 1_800_000_000_000
ALL = SlowTier(uncertain=Uncertain(probability=(0.0, 1.0)), share=1.0, burst=1000, wait_seconds=5)


def stage(slow: SlowTier | None, tmp_path: Path, released: bool = True) -> ClassifierStage:
    live = LiveModel("fast", tmp_path)
    live.bundle = load(STARTER)
    made = ClassifierStage(
        live, Publisher("classifier", load_topics(), derived=[Scored]), Summary("classifier-0", 1000), slow
    )
    if released:
        made.broadcast(Record("model.released", "model.released", 0, 0, b"slow", b"{}", NOW))
    return made


def outputs(made: ClassifierStage, count: int, text: str | None = "a post") -> tuple[list[str], list[str]]:
    """Ids of items that are marked as waited for, and of those handed over."""
    records = []
    for number in range(count):
        event = ContentSubmitted(
            source="demo", item_id=f"post-{number}", revision=1, item=Item(kind="post", text=text)
        )
        records.append(
            Record(
                "content.submitted.demo",
                "content.submitted",
                0,
                number,
                f"demo/post-{number}".encode(),
                encode(event),
                NOW,
            )
        )
    outs = [out for out in made.handle(records, States(), NOW) if isinstance(out, Outgoing)]
    scored = [decode(ContentClassified, out.value or b"") for out in outs if out.base == "content.classified"]
    handed = [decode(ContentUncertain, out.value or b"") for out in outs if out.base == "content.uncertain"]
    assert len(scored) == count, "every item goes on at once"
    waited = [event for event in scored if event.slow_until is not None]
    assert all(to_millis(event.slow_until or "") == NOW + 5_000 for event in waited)
    return [event.item_id for event in waited], [event.item_id for event in handed]


def test_what_is_handed_over_is_waited_for(tmp_path: Path) -> None:
    waited, handed = outputs(stage(ALL, tmp_path), 7)
    assert waited == handed == [f"post-{number}" for number in range(7)]


@pytest.mark.parametrize("share", [0.02, 0.25])
def test_never_more_than_the_share_though_all_of_it_is_uncertain(share: float, tmp_path: Path) -> None:
    made = stage(replace(ALL, share=share, burst=1), tmp_path)
    found = [outputs(made, 100) for _ in range(10)]
    assert all(waited == handed for waited, handed in found)
    assert sum(len(handed) for _, handed in found) == pytest.approx(1000 * share, abs=1)


def test_nothing_waits_without_a_slow_tier_a_model_in_it_or_a_text(tmp_path: Path) -> None:
    assert outputs(stage(None, tmp_path), 3) == ([], [])
    assert outputs(stage(ALL, tmp_path, released=False), 3) == ([], [])
    assert outputs(stage(ALL, tmp_path), 3, text=None) == ([], [])


def test_a_slow_model_that_is_taken_back_is_waited_for_no_more(tmp_path: Path) -> None:
    made = stage(ALL, tmp_path)
    made.broadcast(Record("model.released", "model.released", 0, 1, b"slow", None, NOW))
    assert outputs(made, 3) == ([], [])


def submitted(number: int, raw: bytes) -> Record:
    """The record of post `number`."""
    key = f"demo/post-{number}".encode()
    return Record("content.submitted.demo", "content.submitted", 0, number, key, raw, NOW)


def summaries(made: ClassifierStage) -> list[tuple[str | None, int, int]]:
    """Of each model version: how many items, and scores in all histograms together."""
    made.reports(NOW)
    found = [
        msgspec.json.decode(out.value or b"", type=ScoresSummarized) for out in made.reports(NOW + 10_000)
    ]
    return [(of.model_version, of.items, sum(sum(each.counts) for each in of.histograms)) for of in found]


def test_what_is_committed_is_counted_once_and_nothing_else(tmp_path: Path) -> None:
    made = ClassifierStage(
        LiveModel("fast", tmp_path),
        Publisher("classifier", load_topics(), derived=[Scored]),
        Summary("classifier-0", 1000),
        inline_secret=SECRET,
    )
    bundle = made._live.bundle = load(STARTER)
    item = Item(kind="post", text="a post")
    verdict = InlineVerdict(
        action="allow",
        scores=(Score(category="toxicity", probability=0.125),),
        circumstances=Circumstances(automation=True),
        model_version="m-0",
        policy_version="p-1",
        decided_at="2026-01-31T12:00:00.000Z",
        signature="0" * 64,
    )
    decided = signed(SECRET, "demo", "post-1", 1, msgspec.json.encode(item), verdict)
    records = [
        submitted(0, encode(ContentSubmitted(source="demo", item_id="post-0", revision=1, item=item))),
        submitted(
            1,
            encode(ContentSubmitted(source="demo", item_id="post-1", revision=1, item=item, inline=decided)),
        ),
        submitted(2, encode(ContentSubmitted(source="demo", item_id="post-2", revision=1, withdrawn=True))),
        submitted(3, encode(ContentSubmitted(source="demo", item_id="post-3", revision=1, item=item))),
        submitted(4, b"{}"),
    ]
    handle_batch(made, records, States(), NOW)  # an abort: it comes again
    outcome = handle_batch(made, records, States(), NOW)
    assert (len(outcome.produced), len(outcome.rejected)) == (4, 1)
    made.committed(outcome.produced)
    assert summaries(made) == [("m-0", 1, 1), (bundle.model_version, 2, 2 * len(bundle.categories))]


def test_records_that_are_handled_one_by_one_are_counted_too(tmp_path: Path) -> None:
    """As after an output that was too large for Kafka: what a failed attempt had counted is not."""
    made = stage(None, tmp_path)
    raw = [
        encode(
            ContentSubmitted(source="demo", item_id=f"post-{n}", revision=1, item=Item(kind="post", text="x"))
        )
        for n in range(3)
    ]
    classify = made._live.bundle.classifier.classify  # type: ignore[union-attr]

    class Failing:
        model_version, categories = "m", made._live.bundle.categories  # type: ignore[union-attr]

        def classify(self, texts: list[str], normal: list[str] | None = None) -> object:
            if len(texts) > 1:
                raise ValueError("too many for me")
            return classify(texts, normal)

    made._live.bundle = dataclasses.replace(made._live.bundle, classifier=Failing())  # type: ignore[type-var]
    outcome = handle_batch(made, [submitted(n, raw[n]) for n in range(3)], States(), NOW)
    assert len(outcome.produced) == 3
    made.committed(outcome.produced)
    assert [items for _, items, _ in summaries(made)] == [3]
