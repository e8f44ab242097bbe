"""What ingest decided in line is recorded, not decided again; audits are drawn all the same."""

import msgspec
import pytest
from msgspec.structs import replace

from services.events.types import Circumstances, InlineVerdict, Precedent, Score
from services.policy.allowances import ShardState, counted
from services.policy.facts import Facts
from services.router.core import classify
from services.router.core.tallying import did
from tests.unit.policy.making import AUDITED, NOT_AUDITED, policy, scored
from tests.unit.router.making import NOW, POLICY, classified, decisions, passed, requests

SEEN = Circumstances(automation=True, draw=0.25)
VERDICT = InlineVerdict(
    action="remove",
    categories=("toxicity",),
    rule="toxicity 0.97 >= 0.95",
    scores=(Score(category="toxicity", probability=0.97),),
    circumstances=SEEN,
    model_version="starter-7",
    policy_version="yesterday-1",
    decided_at="2026-01-31T12:00:00.000Z",
    signature="5f" * 32,
)


def test_it_is_recorded_though_the_live_policy_would_decide_otherwise() -> None:
    item = scored(toxicity=0.0, inline=VERDICT)
    (decision,) = decisions(classified(item))
    assert (decision.action, decision.basis, decision.categories) == ("remove", "inline", ("toxicity",))
    assert (decision.decision_seq, decision.final) == (0, True)
    assert (decision.rule, decision.circumstances) == (VERDICT.rule, SEEN)
    assert decision.policy_version == "yesterday-1"
    assert msgspec.to_builtins(decision.scores) == msgspec.to_builtins(item.scores)
    assert decision.model_version == item.model_version


def test_also_where_the_switch_was_thrown_meanwhile_since_the_caller_was_answered() -> None:
    (decision,) = decisions(classified(scored(inline=VERDICT), by=policy(automation=False)))
    assert decision.basis == "inline"


def test_it_is_drawn_for_audit_like_any_other_decision() -> None:
    assert requests(classified(scored(inline=VERDICT), draw=NOT_AUDITED)) == []
    step = classified(scored(inline=VERDICT), draw=AUDITED)
    (task,) = requests(step)
    assert (task.purpose, task.selection.reason, task.selection.probability) == ("audit", "sampled", 0.1)
    assert step.state is not None and step.state.action == "remove"
    assert len(decisions(step)) == 1


def test_an_audit_is_drawn_though_the_policy_knows_its_category_no_more() -> None:
    gone = policy(categories={"spam": {"remove": 0.9, "allow": 0.3, "severity": 1}})
    (task,) = requests(classified(scored(inline=VERDICT), by=gone, draw=AUDITED))
    assert task.severity == 0.0


def test_a_repeat_of_what_people_have_is_dropped_and_an_old_revision_is_closed() -> None:
    audited = classified(scored(inline=VERDICT), draw=AUDITED)
    assert classified(scored(inline=VERDICT), audited.state).dropped == "repeat"
    later = classified(scored(revision=2, inline=VERDICT), audited.state)
    assert [decision.revision for decision in decisions(later)] == [2]
    assert decisions(classified(scored(revision=1, inline=VERDICT), later.state)) == []


def test_it_counts_for_the_cap_of_its_shard() -> None:
    shard = counted(ShardState(minute=NOW // 60_000), did(classified(scored(inline=VERDICT)).events))
    assert shard.taken == {"remove": 1}


REMOVED = Precedent(decision="demo/post-0@1.1", action="remove", categories=("toxicity",))
INHERITED = replace(VERDICT, rule="copy of demo/post-0@1.1", circumstances=replace(SEEN, precedent=REMOVED))


def test_a_verdict_inherited_in_line_leaves_a_marker_and_follows_what_people_decide_later() -> None:
    step = classify(
        passed(scored(inline=INHERITED)), None, POLICY, Facts(draw=NOT_AUDITED, precedent=REMOVED), NOW
    )
    (decision,) = decisions(step)
    assert (decision.basis, decision.action, decision.decision_seq) == ("inline", "remove", 0)
    assert step.state is not None and step.state.followed is not None
    assert (step.state.followed.text_hash, step.state.action) == ("a" * 32, "remove")


@pytest.mark.parametrize("draw", [NOT_AUDITED, AUDITED])
def test_where_people_decided_otherwise_before_the_router_had_it_it_follows_at_once(draw: float) -> None:
    allowed = Precedent(decision="demo/post-0@1.2", action="allow", categories=())
    facts = Facts(draw=draw, precedent=allowed)
    step = classify(passed(scored(inline=INHERITED)), None, POLICY, facts, NOW)
    first, second = decisions(step)
    assert (first.decision_seq, first.action, first.basis) == (0, "remove", "inline")
    assert (second.decision_seq, second.action, second.basis) == (1, "allow", "duplicate")
    assert second.supersedes == 0 and step.state is not None and step.state.action == "allow"
    assert len({event.event_id for event in step.events}) == len(step.events)  # type: ignore[attr-defined]
