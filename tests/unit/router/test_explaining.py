"""What people are asked comes with what spoke for the scores."""

from pathlib import Path

import msgspec
from msgspec.structs import replace

from services.events.types import Score, Selection, Span
from services.router.core.items import Requested
from services.router.explaining import Explainer, Question
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


def explanation(**more: object) -> tuple[Span, ...]:
    (found,) = Explainer(live()).explained([Question(request(**more))])
    return found.explanation


def test_the_words_that_spoke_for_it_are_marked() -> None:
    spans = explanation()
    assert {"stupid", "idiot"} <= {TEXT[s.start : s.end] for s in spans if s.category == "toxicity"}
    assert all((span.weight or 0) > 0 for span in spans)


def test_an_audit_is_blind() -> None:
    assert explanation(purpose="audit") == ()


def test_a_model_that_is_gone_explains_nothing() -> None:
    assert explanation(model_version="other-1") == ()


def test_an_item_without_text_has_no_words() -> None:
    empty = msgspec.Raw(b'{"kind":"image","text":null}')
    assert explanation(item=empty) == ()


def test_many_questions_are_explained_as_each_alone_in_their_order() -> None:
    texts = [
        "What a nice day",
        TEXT,
        "",
        "you 1d1ot, see http://spam.example",
        "Ünï 🙂 stupid",
        "word " * 2000,
    ]
    items = [msgspec.Raw(msgspec.json.encode({"kind": "post", "text": text})) for text in texts]
    questions = [Question(request(item=item, task_id=f"demo/{n}@1.1")) for n, item in enumerate(items)]
    questions.insert(2, Question(request(purpose="audit")))
    together = Explainer(live()).explained(questions)
    assert together == [Explainer(live()).explained([question])[0] for question in questions]
    assert [r.task_id for r in together] == [q.request.task_id for q in questions]
    assert sum(bool(r.explanation) for r in together) >= 3


def test_scores_that_another_model_gave_are_explained_by_it() -> None:
    (mine,) = Explainer(live()).explained([Question(request())])
    theirs = Question(request(model_version="gone-1"), other=mine.model_version)
    assert Explainer(live()).explained([theirs])[0].explanation == mine.explanation
