"""Whatever happens to an item, in any legal order, every revision has exactly one outcome."""

from collections import Counter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from services.events.types import ContentDecided, ReviewClosed
from services.policy.facts import Facts
from services.policy.model import Policy
from services.router.core import ItemState, Step, classify, expire, settle
from services.router.core.items import Requested
from tests.unit.policy.making import policy, scored
from tests.unit.router.making import HOUR, NOW, passed, settlement

PROBABILITY = st.sampled_from([0.0, 0.5, 0.99])
SUBMIT = st.tuples(st.just("submit"), st.integers(1, 4), PROBABILITY)
WITHDRAW = st.tuples(st.just("withdraw"), st.integers(1, 4), st.none())
SETTLE = st.tuples(st.just("settle"), st.integers(0, 20), st.sampled_from(["allow", "remove", None]))
WAIT = st.tuples(st.just("wait"), st.sampled_from([1, 85]), st.none())  # 85 h: past an audit's expiry
PENDING: list[dict[str, Any]] = [
    {"while_pending": "publish"},
    {"while_pending": "hold"},
    {"while_pending": "hold", "hold": {"at_most_minutes": 90, "then": "allow"}},
]
HISTORY = st.lists(st.one_of(SUBMIT, SUBMIT, SETTLE, SETTLE, WITHDRAW, WAIT), max_size=25).filter(
    lambda history: (
        sum(number for what, number, _ in history if what == "wait") < 7 * 24
    )  # while markers live
)


class Life:
    """One item and its router, driven by a history; `events` is all that the router wrote, in order."""

    def __init__(self, by: Policy, draw: float) -> None:
        self.policy, self.draw, self.now = by, draw, NOW
        self.state: ItemState | None = None
        self.events: list[Any] = []
        self.scores: dict[int, float] = {}  # a revision's text, and so its scores, never change
        self.submitted: Counter[int] = Counter()
        self.withdrawn: Counter[int] = Counter()

    def take(self, step: Step) -> None:
        self.state = step.state
        self.events += step.events

    def act(self, what: str, number: int, value: Any) -> None:
        if what == "wait":
            self.wait(number * HOUR)
        elif what == "settle":
            asked = [event for event in self.events if isinstance(event, Requested)]
            if asked:  # any task at all, also one that is long over, or again
                task = asked[number % len(asked)]
                self.take(settle(settlement(task.task_id, value), self.state, self.policy, self.now))
        else:
            p = self.scores.setdefault(number, value or 0.0)
            item = scored(toxicity=p, revision=number)
            if what == "withdraw":
                item = replace(item, withdrawn=True, item=None, scores=())
                self.withdrawn[number] += 1
            else:
                self.submitted[number] += 1
            self.take(classify(passed(item), self.state, self.policy, Facts(draw=self.draw), self.now))

    def wait(self, ms: int) -> None:
        end = self.now + ms
        while self.state is not None and self.state.due <= end:
            self.now = max(self.now, self.state.due)
            self.take(expire(self.state, self.policy, self.now))
        self.now = end

    def of(self, kind: Any, revision: int) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind) and event.revision == revision]


@settings(max_examples=400, deadline=None)
@given(HISTORY, st.sampled_from([0.05, 0.5]), st.sampled_from(PENDING), st.booleans())
def test_every_revision_has_one_outcome(
    history: list[tuple[str, int, Any]], draw: float, pending: dict[str, Any], automation: bool
) -> None:
    life = Life(policy(**pending, automation=automation), draw)
    for action in history:
        life.act(*action)
    life.wait(40 * 24 * HOUR)
    assert life.state is None, "nothing is kept for ever"
    for revision in life.submitted:
        check(life, revision)
    for revision in life.withdrawn:
        reasons = [e.reason for e in life.of(ReviewClosed, revision) if e.task_id is None]
        covered = [e for e in life.events if isinstance(e, ReviewClosed) and e.task_id is None]
        assert "withdrawn" in reasons or any(e.revision >= revision for e in covered)
    if not automation:
        assert all(e.decision_seq > 0 for e in life.events if isinstance(e, ContentDecided))


def check(life: Life, revision: int) -> None:
    decided: list[ContentDecided] = life.of(ContentDecided, revision)
    asked = [e for e in life.of(Requested, revision) if e.purpose == "decision"]
    audits = [e for e in life.of(Requested, revision) if e.purpose == "audit"]
    closed = [e for e in life.of(ReviewClosed, revision) if e.task_id]
    over = [
        e for e in life.events if isinstance(e, ReviewClosed) and not e.task_id and e.revision >= revision
    ]
    automatic = [e for e in decided if e.decision_seq == 0]

    assert automatic or asked or over, "lost"
    assert not (automatic and asked), "one outcome, of machines or of people"
    assert len({e.task_id for e in asked + audits}) == len(asked + audits), "nobody is asked twice"
    repeats = Counter((e.decision_seq, e.final, e.interim) for e in decided)
    assert repeats.pop((0, True, 0), 0) <= life.submitted[revision], "not more often than it was published"
    assert all(count == 1 for count in repeats.values()), "decided twice"
    assert sum(not e.final and not e.interim for e in decided) <= 1, "one interim decision at most"
    assert sum(e.interim for e in decided) <= 1, "and one more where a hold ends"
    people = [(e.decision_seq, e.final, e.interim) for e in decided if e.decision_seq > 0]
    assert people == sorted(people), "each is higher than the one before"
    for event in automatic:
        assert event.event_id == automatic[0].event_id
    for task in asked:
        ends = [e for e in decided if e.final and e.task_id == task.task_id]
        escalations = [e for e in asked if e.replaces == task.task_id]
        assert ends or escalations or over or any(e.task_id == task.task_id for e in closed), "never ends"
    for index, event in enumerate(life.events):
        if isinstance(event, ReviewClosed):
            later = [e for e in life.events[index + 1 :] if e in decided]
            if event.task_id is None and event.revision >= revision:
                assert not later, "resurrected"
            elif event.reason == "edited" and event.task_id is not None:
                assert event.task_id not in {e.task_id for e in later}, "resurrected"
    for event in decided:
        if event.decision_seq > 0 and event.final and not audits:
            assert event.task_id in {task.task_id for task in asked}
