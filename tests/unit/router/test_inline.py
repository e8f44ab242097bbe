"""What ingest decided in line is recorded, not decided again; audits are drawn all the same."""

from services.events.types import Circumstances, InlineVerdict, Score
from services.policy.allowances import ShardState, counted
from services.router.core.tallying import did
from tests.unit.policy.making import AUDITED, NOT_AUDITED, policy, scored
from tests.unit.router.making import NOW, classified, decisions, requests

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
    assert decision.scores == item.scores and decision.model_version == item.model_version


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
