"""Items go to the queue that serves their language, and ask for people who read it."""

from typing import Any

import msgspec
import pytest
import yaml

from services.policy.errors import InvalidPolicy
from services.policy.facts import Facts
from services.policy.parse import parse
from services.policy.queues import served, serving, tags
from services.policy.route import Asked, route
from services.router.core import classify, settle
from services.router.core.items import Classified
from tests.unit.policy.making import AUDITED, DOCUMENT, NOT_AUDITED, policy, scored
from tests.unit.router.making import NOW, passed, requests, settlement

QUEUES: dict[str, Any] = DOCUMENT["queues"]
PLAIN = QUEUES["audit"]
NAMES = frozenset({"general", "expert", "audit", "german", "lawyers"})


def multilingual(**changes: Any) -> dict[str, Any]:
    return {
        **QUEUES,
        "german": PLAIN | {"languages": ["de", "nl"], "for": "general"},
        "lawyers": PLAIN | {"languages": ["de"], "for": "expert", "skills": ["law", "tax"]},
        **changes,
    }


BY = parse(yaml.safe_dump({**DOCUMENT, "queues": multilingual()}), NAMES)


def item(language: str | None, **scores: float) -> Classified:
    raw = msgspec.json.encode({"kind": "post", "text": "ein Text", "language": language})
    return msgspec.structs.replace(passed(scored(**scores)), item=msgspec.Raw(raw))


@pytest.mark.parametrize(
    ("language", "queue", "reads"),
    [
        ("de", "german", ("de",)),
        ("DE-at", "german", ("de",)),
        ("nl", "german", ("nl",)),
        ("en", "general", ()),
        ("den", "general", ()),
        (None, "general", ()),
    ],
)
def test_an_item_goes_to_the_queue_that_serves_its_language(
    language: str | None, queue: str, reads: tuple[str, ...]
) -> None:
    asked = route(item(language, toxicity=0.5), BY, Facts(draw=NOT_AUDITED))
    assert isinstance(asked, Asked) and asked.queue == queue
    (request,) = requests(classify(item(language, toxicity=0.5), None, BY, Facts(draw=NOT_AUDITED), NOW))
    assert (request.queue, request.languages, request.skills) == (queue, reads, ())


def test_an_escalation_goes_to_experts_of_the_language_and_no_further() -> None:
    state = classify(item("de", toxicity=0.5), None, BY, Facts(draw=NOT_AUDITED), NOW).state
    step = settle(settlement("demo/post-1@1.1", None), state, BY, NOW)
    (request,) = requests(step)
    assert (request.queue, request.skills, request.languages) == ("lawyers", ("law", "tax"), ("de",))
    end = settle(settlement("demo/post-1@1.2", None, decision_seq=2), step.state, BY, NOW)
    assert requests(end) == [] and end.events, "experts did not agree either: the fallback decides"


def test_audits_too() -> None:
    by = parse(
        yaml.safe_dump(
            {**DOCUMENT, "queues": multilingual(german=PLAIN | {"languages": ["de"], "for": "audit"})}
        ),
        NAMES,
    )
    (request,) = requests(classify(item("de"), None, by, Facts(draw=AUDITED), NOW))
    assert (request.purpose, request.queue) == ("audit", "german")


def test_a_queue_with_languages_asks_for_one_of_them_where_the_item_says_none() -> None:
    by = parse(
        yaml.safe_dump({**DOCUMENT, "queues": {**QUEUES, "general": PLAIN | {"languages": ["en", "fr"]}}}),
        NAMES,
    )
    assert served(by, "general", item(None).item).languages == ("en", "fr")
    assert served(by, "general", item("fr-ca").item).languages == ("fr",)
    assert serving(by, "general", item("de").item) == "general", "nothing stands in for it"
    assert tags(item("de-Latn-AT").item) == ["de-latn-at", "de-latn", "de"] and tags(item(None).item) == []


@pytest.mark.parametrize(
    ("queue", "says"),
    [
        ({"languages": ["de"], "for": "nobody"}, "unknown queue `nobody`"),
        ({"for": "general"}, "says not in which `languages`"),
        ({"languages": ["de"], "for": "german"}, "`german` stands in for another queue itself"),
        ({"languages": ["de"], "for": "lawyers"}, "`lawyers` stands in for another queue itself"),
        ({"languages": ["de"], "for": "general"}, "`lawyers` stands in for `general` in de already"),
        ({"languages": ["German"]}, "'German' does not match"),
        ({"skills": ["Law!"]}, "'Law!' does not match"),
    ],
)
def test_a_queue_that_stands_in_for_none_is_refused_with_its_line(queue: dict[str, Any], says: str) -> None:
    base = {**QUEUES, "lawyers": PLAIN | {"languages": ["de"], "for": "general"}, "german": PLAIN | queue}
    text = yaml.safe_dump({**DOCUMENT, "queues": base}, sort_keys=False)
    with pytest.raises(InvalidPolicy) as refused:
        parse(text, NAMES)
    (problem,) = refused.value.problems
    assert says in problem.what
    begins = text[: text.index("  german:")].count("\n") + 1
    assert begins < problem.line <= begins + 9


def test_without_stand_ins_nothing_changes() -> None:
    assert policy().stand_ins == {}
