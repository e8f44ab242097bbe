"""What the router reads of content.classified: as strict as the contract in all that it passes on."""

from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.events.codec import decode
from services.events.errors import UndecodableEvent
from services.events.topics import load_topics
from services.events.types import ContentClassified
from services.router.core.items import Classified
from services.router.settings import RouterSettings
from services.router.stage import RouterStage
from services.runtime.records import Record, Rejected
from tests.unit.policy.making import scored
from tests.unit.router.making import NOW

PASSED_ON = ("source", "item_id", "text_hash", "model_version", "accepted_at", "slow_until")
NEAR_MISSES = (
    "",
    "demo ",
    "post-1\n",
    "post 1",
    "post\x001",
    "post-\x7f1",
    "pöst",
    "Demo",
    "d/emo",
    "x" * 201,
    "A" * 32,
    "a" * 31 + "g",
    "a" * 15 + " " + "a" * 16,
    "\N{ARABIC-INDIC DIGIT ONE}" * 32,
    "2026-01-31",
    "2026-01-31T12:00:00+00:00",
    "2026-13-31T12:00:00.000Z",
    "2026-01-31T12:00:00.000Z ",
)


def raw(**changes: Any) -> bytes:
    return msgspec.json.encode({**msgspec.to_builtins(scored()), **changes})


def reads(event_type: type[msgspec.Struct], value: bytes) -> bool:
    try:
        decode(event_type, value)
    except UndecodableEvent:
        return False
    return True


@pytest.mark.parametrize("field", PASSED_ON)
@pytest.mark.parametrize("text", [*NEAR_MISSES, "demo", "post-1", "a" * 32, "2026-01-31T12:00:00.000Z"])
def test_it_takes_and_refuses_what_the_contract_does(field: str, text: str) -> None:
    value = raw(**{field: text})
    assert reads(Classified, value) == reads(ContentClassified, value)


@given(st.sampled_from(PASSED_ON), st.text(max_size=40))
@example("text_hash", "0" * 32)
def test_it_takes_and_refuses_any_text_as_the_contract_does(field: str, text: str) -> None:
    value = raw(**{field: text})
    assert reads(Classified, value) == reads(ContentClassified, value)


@pytest.mark.parametrize(
    ("score", "where"),
    [
        ({"category": "Hate!", "probability": 0.5}, "scores[1].category"),
        ({"category": "hate", "probability": 1.5}, "scores[1].probability"),
        ({"category": "hate", "probability": 0.5, "disagreement": -1.0}, "scores[1].disagreement"),
    ],
)
def test_a_score_is_one_of_the_contract(score: dict[str, Any], where: str) -> None:
    value = raw(scores=[{"category": "spam", "probability": 0.1}, score])
    with pytest.raises(UndecodableEvent, match=f"at `\\$.{where}`".replace("[", r"\[").replace("]", r"\]")):
        decode(Classified, value)


@pytest.mark.parametrize("field", PASSED_ON)
def test_a_value_that_is_none_goes_to_dead_letter_with_its_place_however_often_it_comes(field: str) -> None:
    event = {**msgspec.to_builtins(scored()), field: "not one\n"}
    key = f"{event['source']}/{event['item_id']}".encode()
    record = Record("content.classified", "content.classified", 0, 0, key, msgspec.json.encode(event), NOW)
    stage = RouterStage(RouterSettings(), load_topics())
    for _ in range(2):
        found = stage._read(record)
        assert isinstance(found, Rejected) and found.error == "undecodable"
        assert f"$.{field}" in found.reason


def test_ids_and_times_that_go_nowhere_are_not_looked_at() -> None:
    assert reads(Classified, raw(event_id="?", occurred_at="yesterday"))


def test_an_item_is_missed() -> None:
    with pytest.raises(UndecodableEvent, match="`item` must not be null"):
        decode(Classified, raw(item=None))
    assert reads(Classified, raw(item=None, withdrawn=True))
