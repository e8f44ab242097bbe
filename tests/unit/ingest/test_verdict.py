"""Verdicts in line: what the router would decide, told to the caller and signed."""

from typing import Any

import msgspec

from services.events.codec import encode
from services.events.types import Listed, Precedent, Score
from services.ingest.core import Submission, submission
from services.ingest.live import Serving
from services.ingest.verdict import Secrets, judged, told, with_verdict
from services.policy.draw import draw
from services.policy.facts import Alarms
from services.policy.inline import forged
from services.policy.precedents import Precedents
from services.policy.route import Asked, Decided
from tests.unit.policy.making import MODEL, policy

NOW = 1_769_860_800_000
SECRETS = Secrets(inline=b"of ingest", salt=b"trial")


class Bundle:
    model_version = MODEL


def serving(alarms: Alarms = frozenset(), **changes: Any) -> Serving:
    bundle: Any = Bundle()
    return Serving(bundle, policy(**changes), alarms, Precedents(1))


def submitted(item_id: str = "post-1") -> Submission:
    body = {"item_id": item_id, "item": {"kind": "post", "text": "Ünïcödé"}}
    return submission(msgspec.json.encode(body), "demo", NOW)


def scores(toxicity: float = 0.0, hate: float = 0.0, spam: float = 0.0) -> tuple[Score, ...]:
    given = {"toxicity": toxicity, "hate": hate, "spam": spam}
    return tuple(Score(category=name, probability=value) for name, value in given.items())


def test_a_decision_is_told_with_what_it_rests_on_and_signed_for_this_content() -> None:
    live = serving()
    outcome, item, facts = judged(submitted(), scores(toxicity=0.95), live, SECRETS, NOW)
    assert isinstance(outcome, Decided)
    verdict = told(outcome, item, live.policy)
    assert (verdict.decision, verdict.categories, verdict.reason) == ("remove", ("toxicity",), None)
    assert (verdict.scores["toxicity"], verdict.model_version) == (0.95, MODEL)
    assert verdict.policy_version == live.policy.version and verdict.rule
    signed = with_verdict(submitted(), outcome, item, facts, live.policy, SECRETS.inline, NOW)
    raw = encode(signed.event)
    assert forged(SECRETS.inline, "demo", "post-1", 1, raw) is None
    assert forged(SECRETS.inline, "demo", "post-2", 1, raw) is not None
    inline = signed.event.inline
    assert inline is not None and inline.circumstances.draw == draw(b"trial", "audit", "demo/post-1")


def test_borderline_answers_review_and_says_what_becomes_of_it_meanwhile() -> None:
    live = serving(while_pending="hold")
    outcome, item, _ = judged(submitted(), scores(hate=0.5), live, SECRETS, NOW)
    verdict = told(outcome, item, live.policy)
    assert (verdict.decision, verdict.reason, verdict.while_pending) == ("review", "uncertain", "hold")
    assert verdict.categories == ("hate",) and verdict.rule is None


def test_switch_alarms_and_caps_take_the_decision_away() -> None:
    given = submitted(), scores(toxicity=0.95)

    def reason(live: Serving, capped: frozenset[str] = frozenset()) -> str:
        outcome, _, _ = judged(*given, live, SECRETS, NOW, None, capped)
        return outcome.reason if isinstance(outcome, Asked) else outcome.action

    assert reason(serving()) == "remove"
    assert reason(serving(automation=False)) == "automation_off"
    assert reason(serving(frozenset({("toxicity", MODEL)}))) == "alarm"
    assert reason(serving(frozenset({("toxicity", "another-model")}))) == "remove"
    assert reason(serving(), frozenset({"remove"})) == "capped"
    assert reason(serving(), frozenset({"allow"})) == "remove"


def test_rules_see_counters_and_the_decision_records_them() -> None:
    rule = {"name": "burst", "when": "counters.author.items_10m > 2", "then": "limit"}
    live = serving(rules=[rule])
    counters = {"author.items_10m": 3}
    outcome, item, facts = judged(submitted(), scores(), live, SECRETS, NOW, counters)
    assert isinstance(outcome, Decided) and (outcome.action, outcome.basis) == ("limit", "rule")
    signed = with_verdict(submitted(), outcome, item, facts, live.policy, SECRETS.inline, NOW)
    assert signed.event.inline is not None and signed.event.inline.circumstances.counters == counters
    outcome, _, _ = judged(submitted(), scores(), live, SECRETS, NOW, None)
    assert isinstance(outcome, Decided) and outcome.action == "allow"  # without Redis the rule does not hold


def test_a_list_decides_and_the_decision_records_its_version() -> None:
    live = serving(lists=[{"name": "known", "then": "remove", "category": "spam"}])
    listed = (Listed(name="known", version="0123abcd"),)
    outcome, item, facts = judged(submitted(), scores(), live, SECRETS, NOW, listed=listed)
    assert isinstance(outcome, Decided) and (outcome.action, outcome.rule) == ("remove", "list known")
    signed = with_verdict(submitted(), outcome, item, facts, live.policy, SECRETS.inline, NOW)
    assert signed.event.inline is not None and signed.event.inline.circumstances.listed == listed
    assert forged(SECRETS.inline, "demo", "post-1", 1, encode(signed.event)) is None


def test_what_people_decided_on_a_copy_decides_unless_the_policy_keeps_it_to_its_item() -> None:
    precedent = Precedent(decision="demo/post-0@1.1", action="allow", categories=())
    found = {}
    for copies in (True, False):
        live = serving(copies=copies)
        outcome, item, facts = judged(
            submitted(), scores(toxicity=0.95), live, SECRETS, NOW, precedent=precedent
        )
        assert isinstance(outcome, Decided)
        found[copies] = (outcome.action, told(outcome, item, live.policy).rule)
        signed = with_verdict(submitted(), outcome, item, facts, live.policy, SECRETS.inline, NOW)
        assert signed.event.inline is not None and signed.event.inline.circumstances.precedent == precedent
    assert found[True] == ("allow", "copy of demo/post-0@1.1")
    assert found[False][0] == "remove"
