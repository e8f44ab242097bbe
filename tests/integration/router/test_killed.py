"""Router and adjudicator are killed in mid-stream: every item has one outcome, every verdict its effect."""

import random
import threading
from collections import Counter, defaultdict
from contextlib import closing
from typing import Any

import msgspec

from services.events.types import ContentClassified, ReviewCompleted
from tests.integration.router.running import Line, of_kind, retraction_of, verdict_on, wait_for
from tests.unit.policy.making import scored

ITEMS = 1_000
OUTCOMES = ("content.decided", "review.requested", "review.closed", "review.settled", "label.recorded")


def published(seed: int = 7) -> list[ContentClassified]:
    """Items with their repeats, edits and withdrawals, in the order in which a classifier would write them."""
    chance = random.Random(seed)
    events: list[ContentClassified] = []
    for number in range(ITEMS):
        item = scored(
            toxicity=chance.choice([0.0, 0.1, 0.5, 0.6, 0.95]),
            item_id=f"post-{number}",
            text_hash=f"{number:032x}",  # nobody's copy
        )
        events.append(item)
        kind = chance.random()
        if kind < 0.1:
            events.append(item)
        elif kind < 0.2:
            events.append(msgspec.structs.replace(item, revision=2))
        elif kind < 0.3:
            gone = {"withdrawn": True, "item": None, "scores": (), "text_hash": None}
            events.append(msgspec.structs.replace(item, **gone))
    return events


class People(threading.Thread):
    """Answer every request; some disagree, some take their verdict back and give another."""

    def __init__(self, line: Line) -> None:
        super().__init__(daemon=True)
        self.line, self.done = line, threading.Event()
        self.chance = random.Random(11)
        self.counting: list[ReviewCompleted] = []  # acknowledged, and not taken back

    def run(self) -> None:
        with closing(self.line.reader("review.requested")) as reader:
            while not self.done.is_set():
                for record in reader.poll(0.1):
                    self.answer(msgspec.json.decode(record.value or b""))

    def answer(self, request: dict[str, Any]) -> None:
        actions = ["remove"] * request["votes_wanted"]
        if self.chance.random() < 0.15:
            actions[-1] = "allow" if len(actions) > 1 else "escalate"
        for seat, action in enumerate(actions):
            verdict = verdict_on(request, f"person-{seat}", action, seat)
            if self.chance.random() < 0.05:
                mistaken = verdict_on(request, f"person-{seat}", "allow", seat, undo_ms=5_000)
                self.line.send(mistaken, retraction_of(mistaken))
            self.line.send(verdict)
            self.counting.append(verdict)


def test_nothing_is_lost_or_doubled(line: Line) -> None:
    line.start("router", "adjudicator")
    wait_for(
        "the reason", lambda: line.readiness("router").startswith("no policy is live: run `sluicegate policy")
    )
    line.release(audit={"share": 0.05, "queue": "audit", "supersede": True})
    people = People(line)
    people.start()
    events = published()
    for start in range(0, len(events), 50):
        line.send(*events[start : start + 50])
        if start in (200, 600):
            wait_for_records(line, "content.decided", start // 2)
            line.kill("router")
        if start in (400, 800):
            wait_for_records(line, "review.settled", start // 10)
            line.kill("adjudicator")
    try:
        wait_for("the end of every task", lambda: not open_tasks(line.scan(*OUTCOMES)), 120)
    finally:
        people.done.set()
        people.join(10)
    found = line.scan(*OUTCOMES)
    check_outcomes(events, found)
    check_verdicts(people.counting, found)
    assert line.scan("text.decided") and line.dead_letters() == []


def wait_for_records(line: Line, base: str, count: int) -> None:
    """Return when more than `count` records are committed."""
    wait_for(f"{count} records of {base}", lambda: len(line.scan(base)) > count)


def open_tasks(found: list[dict[str, Any]]) -> set[str]:
    """Tasks that neither settled nor were closed."""
    closed = of_kind(found, "review_closed")
    over = {e["task_id"] for e in of_kind(found, "review_settled") + closed}
    withdrawn = {(e["item_id"], e["revision"]) for e in closed if e["task_id"] is None}
    settled = {e["task_id"] for e in of_kind(found, "review_settled")}
    followed = {e.get("task_id") for e in of_kind(found, "content_decided") if e["final"]}
    followed |= {e["replaces"] for e in of_kind(found, "review_requested")}
    asked = of_kind(found, "review_requested")
    waiting = {e["task_id"] for e in asked if (e["item_id"], e["revision"]) not in withdrawn} - over
    unheard = {e["task_id"] for e in asked if e["purpose"] == "decision"} & settled - followed
    return waiting | {task for task in unheard if not _gone(task, closed)}


def _gone(task: str, closed: list[dict[str, Any]]) -> bool:
    return any(
        e["task_id"] == task
        or (e["task_id"] is None and task.startswith(f"demo/{e['item_id']}@{e['revision']}."))
        for e in closed
    )


def check_outcomes(events: list[ContentClassified], found: list[dict[str, Any]]) -> None:
    """One outcome for every revision, whatever was killed."""
    decided, asked, closed = (
        of_kind(found, kind) for kind in ("content_decided", "review_requested", "review_closed")
    )
    times = Counter((e.item_id, e.revision) for e in events if not e.withdrawn)
    withdrawn = {(e.item_id, e.revision) for e in events if e.withdrawn}
    by_item: dict[tuple[str, int], list[dict[str, Any]]] = defaultdict(list)
    for event in decided:
        by_item[event["item_id"], event["revision"]].append(event)
    questions = {(e["item_id"], e["revision"]) for e in asked if e["purpose"] == "decision"}
    gone = {(e["item_id"], e["revision"]) for e in closed if e["task_id"] is None}
    assert withdrawn == gone, "every withdrawal is an outcome, and nothing else closes an item here"
    for item, count in times.items():
        automatic = [e for e in by_item[item] if e["decision_seq"] == 0]
        assert len(automatic) <= count and len({e["event_id"] for e in automatic}) <= 1
        assert bool(automatic) != (item in questions), f"{item}: one outcome, not none or two"
    numbered = Counter((e["item_id"], e["revision"], e["decision_seq"], e["final"]) for e in decided)
    assert all(n == 1 for (_, _, seq, _), n in numbered.items() if seq), "a decision is written once"
    assert max(Counter(e["task_id"] for e in asked).values()) == 1, "a question is asked once"


def check_verdicts(counting: list[ReviewCompleted], found: list[dict[str, Any]]) -> None:
    """Every verdict that was acknowledged and not taken back is in a settlement, unless its task was closed."""
    settled, labels = of_kind(found, "review_settled"), of_kind(found, "label_recorded")
    closed = of_kind(found, "review_closed")
    assert max(Counter(e["task_id"] for e in settled).values()) == 1, "a task settles once"
    voted = {vote["verdict_id"] for e in settled for vote in e["votes"]}
    lost = [v for v in counting if v.verdict_id not in voted and not _gone(v.task_id, closed)]
    assert lost == []
    assert Counter(e["task_id"] for e in labels) == Counter(e["task_id"] for e in settled if e["agreed"])
    decided = {e["task_id"]: e for e in of_kind(found, "content_decided") if e["final"] and e.get("task_id")}
    for settlement in settled:
        if (
            settlement["agreed"]
            and settlement["purpose"] == "decision"
            and not _gone(settlement["task_id"], closed)
        ):
            assert decided[settlement["task_id"]]["action"] == settlement["action"]
