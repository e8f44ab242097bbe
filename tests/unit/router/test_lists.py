"""What the router makes of lists: a policy waits for them, outcomes name them, and no slow score is waited for."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from services.events.codec import encode
from services.events.instants import from_millis
from services.events.topics import load_topics
from services.events.types import ContentDecided, Item, Listed
from services.router.settings import RouterSettings
from services.router.stage import Kept, RouterStage
from services.runtime.records import Outgoing
from services.runtime.states import Shard, States
from services.scoring.live_lists import LiveLists, file_of
from tests.unit.policy.making import DOCUMENT, scored
from tests.unit.router import test_shadow as shadowed
from tests.unit.router.making import NOW
from tests.unit.router.test_shadow import trial
from tests.unit.router.test_stage import record, released

LISTS = [{"name": "spam", "then": "remove", "category": "spam"}]


class Bench:
    def __init__(self, var: Path) -> None:
        self.var, self.lists = var, LiveLists(var)
        (var / "lists").mkdir()
        self.stage = RouterStage(RouterSettings(var=var), load_topics(), lists=self.lists)
        self.states: States[Kept] = States()
        self.states.shards[0] = Shard()
        self._revisions = iter(range(1, 100))

    def write(self, text: str) -> None:
        file_of(self.var, "spam").write_text(text)
        self.lists.look()
        self.lists.look()

    def release(self, **changes: Any) -> None:
        text = yaml.safe_dump({**DOCUMENT, "audit": {**DOCUMENT["audit"], "share": 0}, **changes})
        self.stage.broadcast(record("policy.released", "live", released(text)))

    def decided(self, text: str, **changes: Any) -> list[ContentDecided]:
        event = scored(revision=next(self._revisions), item=Item(kind="post", text=text), **changes)
        batch = [record("content.classified", "demo/post-1", encode(event))]
        effects = list(self.stage.handle(batch, self.states, NOW))
        self.states.apply()
        events = [effect.event for effect in effects if isinstance(effect, Outgoing)]
        return [event for event in events if isinstance(event, ContentDecided)]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_without_its_lists_the_newest_policy_is_not_live_and_nothing_starts(bench: Bench) -> None:
    bench.release()
    assert bench.stage.not_ready() == ""
    bench.release(lists=LISTS)
    assert "waits for its lists" in bench.stage.not_ready() and "lists/spam.txt" in bench.stage.not_ready()
    bench.write("buy\n")
    assert bench.stage.not_ready() == ""
    (decision,) = bench.decided("BUY")
    assert decision.rule == "list spam"


def test_while_it_runs_the_live_policy_stays_until_the_lists_of_the_new_one_can_be_read(bench: Bench) -> None:
    bench.release(name="old")
    bench.write("buy\n\u200b\n")
    bench.release(name="new", lists=LISTS)
    list(bench.stage.reports(NOW))
    (before,) = bench.decided("buy")
    assert before.action == "allow" and (before.policy_version or "").startswith("old-")
    bench.write("buy\n")
    list(bench.stage.reports(NOW))
    (after,) = bench.decided("buy")
    assert after.action == "remove" and (after.policy_version or "").startswith("new-")


def test_an_outcome_names_the_list_and_its_version_and_a_change_decides_the_next(bench: Bench) -> None:
    bench.write("buy\n")
    bench.release(lists=LISTS)
    (decision,) = bench.decided("ＢＵＹ")
    assert (decision.action, decision.basis, decision.rule) == ("remove", "rule", "list spam")
    assert decision.categories == ("spam",) and decision.circumstances is not None
    (listed,) = decision.circumstances.listed
    assert isinstance(listed, Listed) and listed.name == "spam"
    bench.write("sell\n")
    assert bench.decided("buy")[0].action == "allow"
    (next_one,) = bench.decided("sell")
    assert next_one.circumstances is not None
    assert next_one.action == "remove" and next_one.circumstances.listed[0].version != listed.version


def test_what_is_listed_waits_for_no_slow_scores(bench: Bench) -> None:
    bench.write("buy\n")
    bench.release(lists=LISTS)
    until = from_millis(NOW + 5_000)
    assert bench.decided("another", slow_until=until) == []
    (decision,) = bench.decided("buy", slow_until=until)
    assert decision.circumstances is not None
    assert (decision.action, decision.circumstances.slow) == ("remove", None)


def test_a_candidate_beside_the_live_policy_has_lists_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "lists").mkdir()
    document = yaml.safe_dump({**DOCUMENT, "audit": {**DOCUMENT["audit"], "share": 0}})
    candidate = trial(yaml.safe_dump(DOCUMENT | {"lists": LISTS}))
    without = shadowed.Bench(document, candidate, var=tmp_path)
    without.handle(scored(item=Item(kind="post", text="buy")))
    assert without.counted == [], "a trial without its lists would tell what is not so"

    file_of(tmp_path, "spam").write_text("buy\n")
    bench = shadowed.Bench(document, candidate, var=tmp_path)
    bench.handle(scored(item=Item(kind="post", text="Buy")))
    (found,) = bench.differed
    assert (found.live.outcome, found.shadow.outcome, found.shadow.because) == (
        "allow",
        "remove",
        "list spam",
    )
    (decision,) = [out.event for out in bench.wrote if isinstance(out.event, ContentDecided)]
    assert decision.circumstances is not None and decision.circumstances.listed == ()
