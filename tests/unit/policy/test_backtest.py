"""A candidate sees what the world was like; what its own decisions bring about is counted again."""

from typing import Any

import msgspec
from msgspec.structs import replace

from services.events.types import Circumstances, Listed, Precedent, Score
from services.policy.backtest import Backtest, Lived, Trial
from services.policy.comparison import FEWEST, Comparison, Label
from services.policy.model import Policy
from services.policy.recorded import Came, Inherited, Recorded
from tests.unit.policy.making import AUDITED, MODEL, NOT_AUDITED, policy

MINUTE = 60_000
SEEN = Circumstances(automation=True, draw=NOT_AUDITED)
REMOVED = Came("remove", "automated", ("toxicity",))
NOBODY: Any = lambda versions: ()  # noqa: E731  no model is certified for anything


def item(
    number: int = 0, toxicity: float = 0.95, at: int = 0, came: Came = REMOVED, **changes: Any
) -> Recorded:
    """An item as the trial policy decided it."""
    of = Recorded(
        shard=0,
        at=at,
        source="demo",
        item_id=f"post-{number}",
        revision=1,
        item=msgspec.Raw(b'{"kind":"post","text":"a\\u001b[31m post"}'),
        scores=tuple(
            Score(category=name, probability=p)
            for name, p in (("toxicity", toxicity), ("hate", 0.0), ("spam", 0.0))
        ),
        model_version=MODEL,
        accepted_at="2026-01-31T12:00:00.000Z",
        policy_version="trial-00000000",
        circumstances=SEEN,
        inline=False,
        came=came,
        rule="toxicity 0.95 >= 0.9",
        votes=(),
    )
    return replace(of, **changes)


def trial(by: Policy, complete: bool = True, shards: int = 1) -> Backtest:
    return Backtest(Trial(by, NOBODY), shards, complete)


def verdict(backtest: Backtest, seen: Recorded) -> tuple[str, str | None]:
    found = backtest.replay(seen)
    assert found is not None
    return found.came.verdict, found.came.why


def test_a_looser_threshold_would_ask() -> None:
    strict = policy(categories={"toxicity": {"remove": 0.99, "allow": 0.3, "severity": 2}})
    seen = item(scores=(Score(category="toxicity", probability=0.95),))
    assert verdict(trial(strict), seen) == ("review", "uncertain")


def test_alarms_the_switch_and_precedents_are_those_of_the_record() -> None:
    alarmed = item(circumstances=replace(SEEN, alarms=("toxicity",)))
    assert verdict(trial(policy()), alarmed) == ("review", "alarm")
    thrown = item(circumstances=replace(SEEN, automation=False))
    assert verdict(trial(policy()), thrown) == ("review", "automation_off")
    precedent = Precedent(decision="demo/post-9@1.1", action="allow")
    assert verdict(trial(policy()), item(circumstances=replace(SEEN, precedent=precedent))) == (
        "allow",
        "duplicate",
    )
    assert verdict(trial(policy(automation=False)), item()) == ("review", "automation_off")


def test_counters_are_those_of_the_record_and_missing_ones_are_told() -> None:
    rule = {"name": "flood", "when": "counters.author.items_10m > 3", "then": "review"}
    backtest = trial(policy(rules=[rule]))
    counted = item(circumstances=replace(SEEN, counters={"author.items_10m": 4}))
    assert verdict(backtest, counted) == ("review", "rule")
    assert backtest.uncounted == 0
    assert verdict(backtest, item()) == ("remove", "automated")
    assert backtest.uncounted == 1


def test_draws_are_those_of_the_record() -> None:
    for draw in (AUDITED, NOT_AUDITED):
        found = trial(policy()).replay(item(circumstances=replace(SEEN, draw=draw)))
        assert found is not None and found.came.audited == (draw == AUDITED)


def test_caps_are_counted_again_by_shard_and_minute() -> None:
    backtest = trial(policy(caps={"remove": 4}), shards=2)
    first = [verdict(backtest, item(n))[0] for n in range(4)]
    assert first == ["remove", "remove", "review", "review"], "a shard has its half"
    assert verdict(backtest, item(5, shard=1))[0] == "remove"
    assert verdict(backtest, item(6, at=MINUTE))[0] == "remove"


def test_a_candidate_that_removes_more_reaches_its_cap_sooner() -> None:
    lax = policy(caps={"remove": 2}, categories={"toxicity": {"remove": 0.5, "allow": 0.3, "severity": 2}})
    score = (Score(category="toxicity", probability=0.6),)
    asked = Came("review", "uncertain", ("toxicity",), "general", "allow")
    backtest = trial(lax)
    assert [verdict(backtest, item(n, scores=score, came=asked))[1] for n in range(3)] == [
        "automated",
        "automated",
        "capped",
    ]


def test_what_copies_inherit_counts_unless_the_candidate_had_decided() -> None:
    lax = policy(caps={"remove": 2}, categories={"toxicity": {"remove": 0.5, "allow": 0.3, "severity": 2}})
    score = (Score(category="toxicity", probability=0.6),)
    asked = Came("review", "uncertain", ("toxicity",), "general", "allow")
    heir = Inherited(
        shard=0,
        at=0,
        key="demo/post-0",
        revision=1,
        action="remove",
        open=True,
        model_version=MODEL,
        policy_version="trial-00000000",
        circumstances=SEEN,
    )
    backtest = trial(lax)
    assert verdict(backtest, item(0, scores=score, came=asked)) == ("remove", "automated")
    backtest.inherit(heir)  # of an item that people are not asked about
    assert verdict(backtest, item(1, scores=score, came=asked)) == ("remove", "automated")
    assert verdict(backtest, item(2, scores=score, came=asked)) == ("review", "capped")
    backtest = trial(lax)
    backtest.inherit(replace(heir, key="demo/post-9"))
    assert verdict(backtest, item(1, scores=score, came=asked)) == ("remove", "automated")
    assert verdict(backtest, item(2, scores=score, came=asked)) == ("review", "capped")


def test_before_a_history_is_known_the_same_policy_goes_by_its_record() -> None:
    by = policy(caps={"remove": 2})
    capped = item(
        1,
        policy_version=by.version,
        circumstances=replace(SEEN, capped=True),
        came=Came("review", "capped", ("toxicity",), "general", "allow"),
    )
    assert verdict(trial(by, complete=False), capped) == ("review", "capped")
    assert verdict(trial(by, complete=True), capped) == ("remove", "automated")
    later = trial(by, complete=False)
    assert verdict(later, item(0, policy_version=by.version)) == ("remove", "automated")
    assert verdict(later, replace(capped, at=MINUTE)) == ("remove", "automated"), "from then on it is counted"


def test_a_budget_is_spent_again_and_its_draws_are_the_items_own() -> None:
    by = policy(budget={"reviews_per_hour": 2})
    backtest = trial(by)
    asked = Came("review", "uncertain", ("toxicity",), "general", "allow")
    found = [verdict(backtest, item(n, toxicity=0.5, came=asked)) for n in range(4)]
    assert found.count(("allow", "fallback")) == 3, "one a minute, before a histogram knows better"


def test_verdicts_in_line_stay_in_line_and_no_cap_stops_them() -> None:
    inline = Came("remove", "inline", ("toxicity",))
    backtest = trial(policy(caps={"remove": 1}))
    assert [verdict(backtest, item(n, inline=True, came=inline))[1] for n in range(2)] == ["inline", "inline"]
    assert verdict(backtest, item(3)) == ("review", "capped"), "they count all the same"
    assert verdict(backtest, item(4, toxicity=0.5, inline=True, came=inline)) == ("review", "uncertain")


def test_without_a_document_nothing_is_decided() -> None:
    backtest = Backtest(Lived(lambda version: None, NOBODY), 1)
    assert backtest.replay(item()) is None
    assert backtest.strangers == 1


def compared(by: Policy, *seen: Recorded, labels: Any = None) -> Comparison:
    comparison, backtest = Comparison(labels or {}), trial(by)
    for each in seen:
        found = backtest.replay(each)
        assert found is not None
        comparison.take(each, found)
    return comparison


def test_what_would_change_is_counted_and_shown_short() -> None:
    strict = policy(
        categories={
            "toxicity": {"remove": 0.99, "allow": 0.3, "severity": 2},
            "hate": {"remove": 0.8, "allow": 0.2, "severity": 3},
            "spam": {"remove": 0.9, "allow": 0.3, "severity": 1},
        }
    )
    long = msgspec.Raw(msgspec.json.encode({"kind": "post", "text": "word " * 100}))
    found = compared(strict, item(0), item(1, toxicity=1.0), item(2, item=long))
    assert (found.items, found.differences) == (3, 2)
    assert found.moved == {
        ("remove automated", "review uncertain"): 2,
        ("remove automated", "remove automated"): 1,
    }
    assert found.categories()["toxicity"] == ((3, 1), (0, 2))
    assert found.loads()["general"] == ((0, 2), (0, 4)), "two votes each"
    (examples,) = found.examples.values()
    assert len(examples[1].text) == 120 and examples[1].text.endswith("…")


def test_a_question_that_is_not_recorded_any_more_is_no_difference() -> None:
    found = compared(policy(), item(toxicity=0.5, came=Came("review", None, ("toxicity",), None, "allow")))
    assert found.differences == 0


def test_errors_are_weighed_by_how_likely_people_looked() -> None:
    seen = [item(n) for n in range(60)] + [
        item(n, toxicity=0.1, came=Came("allow", "automated", ())) for n in range(60, 140)
    ]
    labels = {(f"demo/post-{n}", 1): Label(n >= 6, 0.1) for n in range(60)}
    labels |= {(f"demo/post-{n}", 1): Label(n < 70, 0.01) for n in range(60, 140)}
    before, after = compared(policy(), *seen, labels=labels).risks()
    assert before == after
    assert before.wrong_removals.estimate is not None and before.missed.estimate is not None
    assert abs(before.wrong_removals.estimate.value - 0.1) < 1e-9
    assert abs(before.missed.estimate.value - 1000 / (540 + 1000)) < 1e-9, "ten that stand for a hundred each"
    assert before.missed.estimate.low < before.missed.estimate.value < before.missed.estimate.high


def test_too_few_labels_estimate_nothing() -> None:
    labels = {(f"demo/post-{n}", 1): Label(False, 1.0) for n in range(FEWEST - 1)}
    before, _ = compared(policy(), *map(item, range(FEWEST)), labels=labels).risks()
    assert before.wrong_removals == (None, FEWEST - 1)


def test_lists_are_those_of_the_record_for_what_was_live_and_of_today_for_a_candidate() -> None:
    by = policy(lists=[{"name": "spam", "then": "limit"}, {"name": "fine", "then": "allow"}])
    recorded = replace(SEEN, listed=(Listed(name="fine", version="0123abcd"),))
    today = lambda raw: (Listed(name="spam", version="89abcdef"),)  # noqa: E731
    backtest = Backtest(Trial(by, NOBODY), 1, True, today)
    assert verdict(backtest, item(circumstances=recorded)) == ("limit", "rule")
    lived = item(circumstances=recorded, policy_version=by.version)
    assert verdict(backtest, lived) == ("allow", "rule")
