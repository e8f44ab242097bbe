"""Copies on two workers, arriving, heard of, killed in any order: all come to what people last decided, each once."""

from collections import Counter
from itertools import pairwise
from typing import Any

import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.events.codec import decode, encode
from services.events.topics import load_topics
from services.events.types import ContentDecided, ReviewClosed, TextDecided
from services.policy.parse import parse
from services.router.core.items import Requested
from services.router.settings import RouterSettings
from services.router.stage import Kept, RouterStage
from services.runtime.groups import Behind
from services.runtime.records import Outgoing, Record
from services.runtime.states import Shard, States
from tests.unit.policy.making import DOCUMENT, QUEUES, scored
from tests.unit.router.making import NOW, settlement

TOPICS = load_topics()
ITEMS = 6  # item n is on shard n % 2
ACT = st.one_of(
    st.tuples(st.just("submit"), st.integers(0, ITEMS - 1), st.none()),
    st.tuples(st.just("submit"), st.integers(0, ITEMS - 1), st.none()),
    st.tuples(st.just("settle"), st.integers(0, 30), st.sampled_from(["allow", "remove", None])),
    st.tuples(st.just("hear"), st.integers(0, 1), st.none()),
    st.tuples(st.just("catch up"), st.integers(0, 1), st.none()),
    st.tuples(st.just("kill"), st.integers(0, 1), st.booleans()),
    st.tuples(st.just("withdraw"), st.integers(0, ITEMS - 1), st.none()),
)


class Worker:
    """One router with one shard. `log` is text.decided, of one partition; all else is as the loop does it."""

    def __init__(self, shard: int, share: float) -> None:
        self.shard, self.share = shard, share
        self.changelog: dict[bytes, bytes] = {}
        self.start([])

    def start(self, log: list[Record]) -> None:
        self.stage = RouterStage(RouterSettings(), TOPICS)
        self.stage._policies.policy = parse(_document(self.share), QUEUES)
        self.states: States[Kept] = States()
        self.behind = Behind(self.stage, self.states)
        self.heard = 0
        self.hear(log)  # to the end, and only then its state
        held: Shard[Kept] = Shard(self.stage.group_of)
        for key, raw in self.changelog.items():
            held.apply(key, self.stage.decode_state(raw))
        self.states.shards[self.shard] = held
        self.behind.restored(self.shard, held)

    def hear(self, log: list[Record]) -> None:
        for record in log[self.heard :]:
            self.stage.broadcast(record)
            self.behind.heard(record)
        self.heard = len(log)

    def take(self, base: str, event: Any) -> list[Any]:
        key = f"{event.source}/{event.item_id}".encode()
        record = Record(base, base, self.shard, 0, key, encode(event), NOW)
        return self.commit(list(self.stage.handle([record], self.states, NOW)))

    def catch_up(self, die: bool = False) -> list[Any]:
        places = self.behind.first(100)
        effects = [effect for place in places for effect in self.behind.catch_up(place, NOW)]
        if die:
            return []
        self.behind.done(places)
        return self.commit(effects)

    def commit(self, effects: list[Any]) -> list[Any]:
        for _, key, state in self.states.staged():
            if state is None:
                self.changelog.pop(key, None)
            else:
                self.changelog[key] = self.stage.encode_state(state)
        self.states.apply()
        return [effect for effect in effects if isinstance(effect, Outgoing)]


class World:
    def __init__(self, share: float) -> None:
        self.workers = [Worker(shard, share) for shard in (0, 1)]
        self.log: list[Record] = []
        self.events: list[Any] = []
        self.withdrawn: set[str] = set()

    def note(self, produced: list[Outgoing]) -> None:
        for out in produced:
            if out.base == "text.decided":
                offset = len(self.log)
                self.log.append(Record(out.base, out.base, 0, offset, out.key, out.value, NOW))
            self.events.append(out.event)

    def act(self, what: str, number: int, value: Any) -> None:
        if what == "settle":
            asked = [event for event in self.events if isinstance(event, Requested)]
            if asked:
                task = asked[number % len(asked)]
                settled = settlement(task.task_id, value, decision_seq=task.decision_seq)
                self.note(self._of(task.item_id).take("review.settled", settled))
        elif what in ("submit", "withdraw"):
            item = scored(toxicity=0.5, item_id=f"post-{number}")
            if what == "withdraw":
                item = scored(item_id=item.item_id, withdrawn=True, item=None, scores=(), text_hash=None)
                self.withdrawn.add(item.item_id)
            self.note(self._of(item.item_id).take("content.classified", item))
        else:
            worker = self.workers[number]
            if what == "hear":
                worker.hear(self.log)
            elif what == "catch up":
                self.note(worker.catch_up())
            else:
                if value:
                    worker.hear(self.log)
                worker.catch_up(die=True)
                worker.start(self.log)

    def rest(self) -> None:
        """Everybody hears all, and does what is to be done."""
        for worker in self.workers:
            worker.hear(self.log)
            self.note(worker.catch_up())
            assert not worker.behind, "one round is enough: inheriting decides no text"

    def _of(self, item_id: str) -> Worker:
        return self.workers[int(item_id.rpartition("-")[2]) % 2]


AUDIT_OF_A_COPY_GOES_TO_EXPERTS: list[tuple[str, int, Any]] = [
    ("submit", 3, None),
    ("submit", 0, None),
    ("settle", 1, "allow"),
    ("hear", 1, None),
    ("catch up", 1, None),
    ("settle", 2, None),
]


def _document(share: float) -> str:
    return str(yaml.safe_dump({**DOCUMENT, "audit": {**DOCUMENT["audit"], "share": share}}))


@settings(max_examples=150, deadline=None)
@given(st.lists(ACT, max_size=40), st.sampled_from([0.0, 1.0]))
@example(AUDIT_OF_A_COPY_GOES_TO_EXPERTS, 1.0)
def test_all_come_to_what_people_decided_last_each_once(
    history: list[tuple[str, int, Any]], share: float
) -> None:
    world = World(share)
    for action in history:
        world.act(*action)
    world.rest()
    check(world)
    for worker in world.workers:  # and a worker that starts again finds nothing to do
        worker.start(world.log)
        assert worker.catch_up() == []


def check(world: World) -> None:
    decided = [event for event in world.events if isinstance(event, ContentDecided)]
    numbered = Counter((e.item_id, e.decision_seq, e.final) for e in decided)
    assert all(count == 1 for count in numbered.values()), "decided twice"
    asked = Counter(e.task_id for e in world.events if isinstance(e, Requested))
    assert all(count == 1 for count in asked.values()), "asked twice"
    closings = Counter(e.task_id for e in world.events if isinstance(e, ReviewClosed) and e.task_id)
    assert all(count == 1 for count in closings.values()), "closed twice"
    if not world.log:
        return
    last = decode(TextDecided, world.log[-1].value or b"")
    for number in range(ITEMS):
        item = f"post-{number}"
        finals = [e for e in decided if e.item_id == item and e.final]
        followers = [e for e in finals if e.basis in ("human", "duplicate")]
        if item in world.withdrawn or not finals or not followers:
            continue
        assert finals[-1].action == last.action, f"{item} is not like its text"
        assert [e.decision_seq for e in finals] == sorted({e.decision_seq for e in finals})
        for before, after in pairwise(finals):
            assert after.supersedes == before.decision_seq
    open_tasks = asked.keys() - closings.keys() - {e.task_id for e in decided if e.final}
    audits = {e.task_id for e in world.events if isinstance(e, Requested) and e.purpose == "audit"}
    for task in open_tasks - audits:  # an audit is no outcome, and may be open for long
        followed = any(isinstance(e, Requested) and e.replaces == task for e in world.events)
        assert followed or task.partition("@")[0].removeprefix("demo/") in world.withdrawn, "still open"
