"""What people are asked comes with what spoke for the scores."""

from pathlib import Path

import msgspec
from msgspec.structs import replace

from services.events.types import Score, Selection
from services.router.core.items import Requested
from services.router.explaining import Explainer
from services.scoring.bundle import load
from services.scoring.live_model import LiveModel

STARTER = Path(__file__).parents[3] / "infra" / "starter"
TEXT = "See you at lunch, you stupid idiot"


def live() -> LiveModel:
    model = LiveModel("fast", Path())
    model.bundle = load(STARTER)
    return model


def request(**more: object) -> Requested:
    bundle = load(STARTER)
    row = bundle.classifier.classify([TEXT]).probability[0].tolist()
    scores = tuple(Score(category=c, probability=p) for c, p in zip(bundle.categories, row, strict=True))
    made = Requested(
        event_id="0" * 32,
        occurred_at="2026-01-01T00:00:00.000Z",
        task_id="demo/1@1.1",
        source="demo",
        item_id="1",
        revision=1,
        decision_seq=1,
        purpose="decision",
        queue="general",
        item=msgspec.Raw(msgspec.json.encode({"kind": "post", "text": TEXT})),
        text_hash=None,
        scores=scores,
        selection=Selection(reason="uncertain", probability=1.0),
        severity=1.0,
        deadline="2026-01-01T00:00:00.000Z",
        expires_at="2026-01-02T00:00:00.000Z",
        votes_wanted=1,
        lease_seconds=60,
        replaces=None,
        model_version=bundle.model_version,
        policy_version=None,
        accepted_at=None,
        run_id=None,
    )
    return replace(made, **more)


def test_the_words_that_spoke_for_it_are_marked() -> None:
    marked = {
        TEXT[span.start : span.end]
        for span in Explainer(live()).explained(request()).explanation
        if span.category == "toxicity"
    }
    assert {"stupid", "idiot"} <= marked
    assert all((span.weight or 0) > 0 for span in Explainer(live()).explained(request()).explanation)


def test_an_audit_is_blind() -> None:
    assert Explainer(live()).explained(request(purpose="audit")).explanation == ()


def test_a_model_that_is_gone_explains_nothing() -> None:
    assert Explainer(live()).explained(request(model_version="other-1")).explanation == ()


def test_an_item_without_text_has_no_words() -> None:
    empty = msgspec.Raw(b'{"kind":"image","text":null}')
    assert Explainer(live()).explained(request(item=empty)).explanation == ()
