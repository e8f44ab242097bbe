"""Caps: no more automatic actions in a minute than the policy says, through aborts and restarts, and nothing lost."""

from typing import Any

import msgspec
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from services.events.codec import encode
from services.events.types import ContentDecided
from services.policy import allowances as caps
from services.policy.allowances import Did, ShardState
from services.policy.errors import InvalidPolicy
from services.policy.parse import parse
from services.policy.spending import share
from services.router.core.items import Requested
from services.router.settings import RouterSettings
from services.router.stage import Kept, RouterStage
from services.runtime.records import Outgoing, Record
from services.runtime.states import Shard, States
from tests.unit.policy.making import DOCUMENT, QUEUES, policy, scored
from tests.unit.router.making import NOW
from tests.unit.router.test_stage import TOPICS, record, released


@given(st.integers(0, 1000), st.integers(1, 64), st.integers(0, 10**8))
def test_the_shares_of_a_minute_add_up_to_the_cap(cap: int, shards: int, minute: int) -> None:
    assert sum(share(cap, shard, shards, minute) for shard in range(shards)) == cap


@given(st.integers(0, 9), st.integers(1, 8))
def test_every_shard_has_as_much_in_the_long_run(cap: int, shards: int) -> None:
    totals = {sum(share(cap, shard, shards, m) for m in range(shards)) for shard in range(shards)}
    assert totals == {cap}


def test_a_late_record_counts_in_the_minute_that_has_begun() -> None:
    state = ShardState(minute=10, taken={"remove": 2})
    assert caps.at(state, 9 * 60_000) is state
    assert caps.at(state, 11 * 60_000) == ShardState(minute=11)


class Worker:
    """A router of one shard; `restart` keeps what its changelog has."""

    def __init__(self, **changes: Any) -> None:
        document = DOCUMENT | {"audit": {**DOCUMENT["audit"], "share": 0}} | changes
        self.policy = record("policy.released", "live", released(yaml.safe_dump(document)))
        self.changelog: dict[bytes, bytes] = {}
        self.restart()

    def restart(self) -> None:
        self.stage = RouterStage(RouterSettings(shards=1), TOPICS)
        self.stage.broadcast(self.policy)
        self.states: States[Kept] = States()
        self.states.shards[0] = Shard()
        for key, raw in self.changelog.items():
            self.states.shards[0].apply(key, self.stage.decode_state(raw))

    def handle(self, first: int, count: int, at: int = NOW, commit: bool = True) -> list[Any]:
        batch = [
            Record(
                "content.classified",
                "content.classified",
                0,
                number,
                f"demo/{number}".encode(),
                encode(scored(toxicity=0.99, item_id=str(number))),
                at,
            )
            for number in range(first, first + count)
        ]
        effects = [e.event for e in self.stage.handle(batch, self.states, at) if isinstance(e, Outgoing)]
        if commit:
            for _, key, state in self.states.staged():
                if state is not None:
                    self.changelog[key] = self.stage.encode_state(state)
            self.states.apply()
        else:
            self.states.drop()
        return effects


def removed(events: list[Any]) -> int:
    return sum(isinstance(e, ContentDecided) and e.final and e.action == "remove" for e in events)


def asked(events: list[Any]) -> list[Requested]:
    return [event for event in events if isinstance(event, Requested)]


def test_what_is_over_the_cap_goes_to_people_and_says_so() -> None:
    worker = Worker(caps={"remove": 3})
    events = worker.handle(0, 5)
    assert removed(events) == 3
    assert [task.selection.reason for task in asked(events)] == ["capped", "capped"]
    interim = [e for e in events if isinstance(e, ContentDecided) and not e.final]
    assert [e.circumstances.capped for e in interim] == [True, True]
    assert removed(worker.handle(5, 5, NOW + 60_000)) == 3, "a new minute"


def test_a_cap_holds_through_aborts_and_restarts() -> None:
    worker = Worker(caps={"remove": 3})
    assert removed(worker.handle(0, 2, commit=False)) == 2
    assert removed(worker.handle(0, 2)) == 2
    worker.restart()
    assert removed(worker.handle(2, 4, commit=False)) == 1
    worker.restart()
    events = worker.handle(2, 4)
    assert (removed(events), len(asked(events))) == (1, 3)


@given(
    st.lists(st.tuples(st.integers(1, 6), st.integers(0, 90_000), st.booleans()), max_size=8),
    st.integers(0, 7),
)
def test_no_minute_has_more_than_its_cap_and_nothing_is_lost(
    batches: list[tuple[int, int, bool]], cap: int
) -> None:
    worker, at, number, by_minute = Worker(caps={"remove": cap}), NOW, 0, dict[int, int]()
    for count, later, commit in batches:
        at += later
        events = worker.handle(number, count, at, commit)
        if not commit:
            worker.restart()
            continue
        number += count
        assert removed(events) + len(asked(events)) == count
        by_minute[at // 60_000] = by_minute.get(at // 60_000, 0) + removed(events)
    assert all(taken <= cap for taken in by_minute.values())


def test_without_caps_a_shard_keeps_nothing() -> None:
    worker = Worker()
    assert removed(worker.handle(0, 5)) == 5
    assert worker.changelog == {}


@pytest.mark.parametrize("bad", [{"remove": -1}, {"remove": "many"}, {"ban": 3}])
def test_a_cap_that_is_none_is_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(InvalidPolicy, match="line"):
        parse(yaml.safe_dump(DOCUMENT | {"caps": bad}), QUEUES)


def test_a_state_of_a_shard_survives_its_changelog() -> None:
    stage = RouterStage(RouterSettings(), TOPICS)
    state = ShardState(minute=5, taken={"remove": 1})
    assert stage.decode_state(stage.encode_state(state)) == state
    with pytest.raises(msgspec.ValidationError):
        stage.decode_state(b'{"kind":"shard","minute":"x"}')


@given(
    st.lists(
        st.tuples(
            st.integers(0, 4 * 60_000),
            st.sampled_from(["allow", "remove", None]),
            st.integers(0, 1),
            st.none() | st.floats(0, 10),
        ),
        max_size=40,
    ),
    st.sampled_from(
        [{"caps": {"remove": 7}}, {"caps": {"remove": 5, "allow": 3}, "budget": {"reviews_per_hour": 60}}]
    ),
)
def test_counted_in_place_it_comes_to_the_same(
    did: list[tuple[int, str | None, int, float | None]], changes: dict[str, Any]
) -> None:
    by = policy(**changes)
    state = ShardState()
    account = caps.Account(state, by, shard=1, shards=3)
    for at, action, asked, value in did:
        state, *left = caps.allowed(state, by, 1, 3, at)
        assert account.allowed(at) == tuple(left)
        state = caps.counted(state, Did(action, asked, value))
        account.count(Did(action, asked, value))
        assert account.state == state
