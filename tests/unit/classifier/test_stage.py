"""The fast tier's stage: what it hands to the slow one is what it marks as waited for, within the share."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from services.classifier.core import Scored
from services.classifier.slow_tier import SlowTier, Uncertain
from services.classifier.stage import ClassifierStage
from services.classifier.summary import Summary
from services.classifier.uncertain import Uncertain as HandedOver
from services.events.codec import encode
from services.events.instants import to_millis
from services.events.topics import load_topics
from services.events.types import ContentSubmitted, Item
from services.runtime.publishing import Publisher
from services.runtime.records import Outgoing, Record
from services.runtime.states import States
from services.scoring.bundle import load
from services.scoring.live_model import LiveModel

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
    events = [out.event for out in made.handle(records, States(), NOW) if isinstance(out, Outgoing)]
    scored = [event for event in events if isinstance(event, Scored)]
    handed = [event for event in events if isinstance(event, HandedOver)]
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
