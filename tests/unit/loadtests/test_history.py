"""The policies that were live, put to what they decided: caps, an alarm, the switch, releases, copies, a budget.

100,000 items that the router decided in memory, through its own stage; its history is replayed as a backtest reads it.
"""

from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from loadtests.history import MODEL, TOPICS, History, document
from services.policy import recorded
from services.policy.backtest import Backtest, Lived, Trial
from services.policy.comparison import Comparison
from services.policy.model import Policy
from services.policy.parse import parse
from services.policy.recorded import Inherited, Recorded, Shard, joined


@pytest.fixture(scope="module")
def history() -> History:
    return History(100_500)


def steps(history: History, skipped: float = 0.0) -> Iterator[Recorded | Inherited]:
    """What is recorded, each shard's in its order, without a first share of the decisions."""
    for number, of in enumerate(history.shards):
        shard = Shard(number)
        for value in of.asked:
            shard.ask(recorded.question(value))
        items = ((at, recorded.published(value)) for at, value in of.published)
        decided = of.decided[int(len(of.decided) * skipped) :]
        for found in joined(shard, items, map(recorded.decision, decided)):
            if found is not None:
                yield found
        assert (shard.unmatched, shard.unasked) == (0, 0)


def replayed(
    history: History, policies: Trial | Lived, skipped: float = 0.0, shards: int = 4, complete: bool = True
) -> Comparison:
    backtest = Backtest(policies, shards, complete and not skipped)
    comparison = Comparison(audits=isinstance(policies, Trial))
    for step in steps(history, skipped):
        if isinstance(step, Inherited):
            backtest.inherit(step)
        else:
            found = backtest.replay(step)
            assert found is not None
            comparison.take(step, found)
    return comparison


def parsed(text: str) -> Policy:
    return parse(text, frozenset(TOPICS.queues))


@pytest.fixture(scope="module")
def lived(history: History) -> Callable[[], Lived]:
    policies = {version: parsed(text) for version, text in history.documents.items()}
    return lambda: Lived(policies.get, lambda versions: ())


def test_the_live_policies_change_nothing_of_100_000_items(
    history: History, lived: Callable[[], Lived]
) -> None:
    found = replayed(history, lived())
    assert found.items >= 100_000
    assert found.differences == 0, found.examples


def test_nor_of_a_history_whose_beginning_is_gone(history: History, lived: Callable[[], Lived]) -> None:
    found = replayed(history, lived(), skipped=0.6)
    assert found.items >= 35_000
    assert found.differences == 0, found.examples


def test_the_history_has_everything_that_an_outcome_can_rest_on(history: History) -> None:
    kinds: Counter[str] = Counter()
    for step in steps(history):
        if isinstance(step, Inherited):
            kinds["inherited" if step.open else "reversed"] += 1
            continue
        kinds[step.came.kind] += 1
        kinds[f"slow {step.circumstances.slow}"] += 1
        kinds["audited"] += step.came.audited
        kinds["held"] += step.came.meanwhile == "hold"
        kinds["drawn for a budget"] += (
            step.circumstances.budget is not None and 0 < step.circumstances.budget.probability < 1
        )
        kinds[f"policy {step.policy_version}"] += 1
    wanted = ["review capped", "review alarm", "review automation_off", "review rule", "remove duplicate"]
    wanted += [
        "allow fallback",
        "remove fallback",
        "remove inline",
        "slow scored",
        "slow late",
        "audited",
        "held",
    ]
    wanted += ["inherited", "reversed", "drawn for a budget", *(f"policy {v}" for v in history.documents)]
    assert not [kind for kind in wanted if kinds[kind] < 20], kinds


def test_a_backtest_that_counts_caps_wrongly_shows(history: History, lived: Callable[[], Lived]) -> None:
    found = replayed(history, lived(), shards=5)
    assert found.differences > 100
    assert any("capped" in was + would for was, would in found.examples)


def test_a_stricter_candidate_removes_less_and_asks_more(history: History) -> None:
    starter = parsed(document())
    name = "toxicity"
    changed = document(
        categories={n: {"remove": 0.999, "allow": 0.01, "severity": 1} for n in starter.categories}
    )
    found = replayed(history, Trial(parsed(changed), lambda versions: ()))
    acted, asked = found.categories()[name]
    assert acted.after < acted.before and asked.after > asked.before
    assert found.differences > 1000 and MODEL
