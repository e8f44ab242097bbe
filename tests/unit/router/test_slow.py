"""An uncertain item waits for the slow tier, and is decided once: with its scores, or in time without."""

from typing import Any

import pytest
from msgspec.structs import replace

from services.events.instants import from_millis
from services.events.types import ContentClassified, Score
from services.policy.facts import Facts
from services.router.core import ItemState, Step, classify, go_on
from services.router.core.slow import merged, merged_alarms
from tests.unit.policy.making import MODEL, NOT_AUDITED, policy, scored
from tests.unit.router.making import HOUR, NOW, closings, decisions, passed, requests

POLICY = policy()
UNTIL = NOW + 5_000
SLOW = "tiny-0123abcd"


def step(
    item: ContentClassified, state: ItemState | None = None, now: int = NOW, facts: Facts | None = None
) -> Step:
    return classify(passed(item), state, POLICY, facts or Facts(draw=NOT_AUDITED), now)


def unsure(**changes: Any) -> ContentClassified:
    return scored(**({"toxicity": 0.5, "slow_until": from_millis(UNTIL)} | changes))


def slowly(toxicity: float, **changes: Any) -> ContentClassified:
    """Scores of a slow model, which knows toxicity only."""
    of = (Score(category="toxicity", probability=toxicity),)
    return scored(**({"scores": of, "tier": "slow", "model_version": SLOW} | changes))


def waiting(**changes: Any) -> ItemState:
    found = step(unsure(**changes))
    assert found.events == () and found.state is not None
    return found.state


def test_it_waits_until_its_time_is_up() -> None:
    assert waiting().due == UNTIL


@pytest.mark.parametrize(("toxicity", "action"), [(0.95, "remove"), (0.1, "allow")])
def test_slow_scores_decide_it(toxicity: float, action: str) -> None:
    found = step(slowly(toxicity), waiting())
    (decision,) = decisions(found)
    assert (decision.action, decision.decision_seq, decision.model_version) == (action, 0, SLOW)
    assert decision.circumstances is not None
    assert (decision.circumstances.slow, decision.circumstances.fast_model_version) == ("scored", MODEL)
    assert [score.probability for score in decision.scores] == [toxicity, 0.0, 0.0]
    assert found.state is None, "what machines decide alone leaves no state"


def test_when_its_time_is_up_the_fast_scores_go() -> None:
    found = go_on(waiting(), POLICY, Facts(draw=NOT_AUDITED), UNTIL)
    (question,) = requests(found)
    (interim,) = decisions(found)
    assert question.model_version == MODEL and not interim.final
    assert interim.circumstances is not None and interim.circumstances.slow == "late"
    late = step(slowly(0.95), found.state)
    assert (late.events, late.dropped, late.state) == ((), "late_slow_score", found.state)


def test_what_comes_late_to_the_router_does_not_wait() -> None:
    assert requests(step(unsure(), now=UNTIL))


def test_slow_scores_of_what_nobody_knows_are_dropped() -> None:
    assert step(slowly(0.95)) == Step(None, dropped="late_slow_score")


def test_a_repeat_waits_no_second_time() -> None:
    state = waiting()
    assert step(unsure(), state) == Step(state, dropped="repeat")


def test_a_withdrawal_overtakes() -> None:
    found = step(scored(withdrawn=True), waiting())
    assert closings(found) == [(1, None, "withdrawn")]
    assert step(slowly(0.95), found.state) == Step(found.state, dropped="late_slow_score")


def test_an_edit_overtakes_and_waits_itself() -> None:
    found = step(unsure(revision=2), waiting())
    assert closings(found) == [(1, None, "edited")] and found.state is not None
    assert step(slowly(0.95), found.state).dropped == "late_slow_score"
    decided = step(slowly(0.95, revision=2), found.state)
    assert [(d.revision, d.action) for d in decisions(decided)] == [(2, "remove")]
    assert decided.state is not None, "the first revision is not to come back"


def test_another_run_is_not_answered() -> None:
    assert step(slowly(0.95, run_id="again"), waiting()).dropped == "late_slow_score"


def test_what_only_the_slow_model_knows_is_added() -> None:
    more = slowly(0.4, scores=(Score(category="fraud", probability=0.7),))
    found = merged(passed(unsure()), passed(more))
    assert {s.category: s.probability for s in found.scores} == {
        "toxicity": 0.5, "hate": 0.0, "spam": 0.0, "fraud": 0.7
    }  # fmt: skip


def test_an_alarm_on_the_fast_model_holds_for_what_only_it_scored() -> None:
    fast, slow = passed(unsure()), passed(slowly(0.95))
    assert merged_alarms(frozenset({("toxicity", MODEL)}), fast, slow) == {("toxicity", MODEL)}
    assert (("spam", SLOW)) in merged_alarms(frozenset({(None, MODEL)}), fast, slow)
    facts = Facts(draw=NOT_AUDITED, alarms=frozenset({("hate", MODEL)}))
    (question,) = requests(step(slowly(0.1), waiting(), facts=facts))
    assert question.selection.reason == "alarm"


def test_a_state_from_before_the_slow_tier_waits_for_nothing() -> None:
    marker = ItemState(revision=1, forget_at=NOW + HOUR)
    assert replace(marker).due == NOW + HOUR and step(slowly(0.9), marker).dropped == "late_slow_score"
