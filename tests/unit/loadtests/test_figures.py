"""The demo's figures come out of manifest and outcomes, and say what they claim to say."""

from __future__ import annotations

import msgspec

from loadtests.figures import AFTER, BEFORE, Caught, figures
from loadtests.manifest import Acknowledged, Line, Published, fold
from loadtests.outcomes import OutcomeEvent, Outcomes
from services.events.instants import to_millis
from services.events.types import ContentDecided
from tests.unit.loadtests.world import AT, completed, decided, label, requested, settled

NOW = to_millis(AT)


def removal(event: ContentDecided) -> ContentDecided:
    return msgspec.structs.replace(event, action="remove", model_version="m1", accepted_at=AT)


def lines(*posts: tuple[str, str]) -> list[Line]:
    told: list[Line] = []
    for number, (item, part) in enumerate(posts):
        told += [Published(number, "demo", item, 1, "post", ("spam",), part), Acknowledged(number)]
    return told


def seen(*events: tuple[int, OutcomeEvent]) -> Outcomes:
    outcomes = Outcomes()
    for after, event in events:
        outcomes.add(event, NOW + after)
    return outcomes


def test_the_catch_rate_before_and_after() -> None:
    task = requested("b")
    human = removal(decided("b", seq=1, basis="human", task=task.task_id))
    outcomes = seen(
        (10, decided("a")),  # let through
        (10, task),
        (10, decided("b", seq=1, final=False, task=task.task_id)),
        (5000, human),
        (10, removal(decided("c"))),
        (30, removal(decided("d"))),
    )
    found = figures(fold(lines(("a", BEFORE), ("b", BEFORE), ("c", AFTER), ("d", AFTER))), outcomes)
    assert found.before == Caught(2, by_machine=0, asked=0.5, removed=0.5)
    assert found.after == Caught(2, by_machine=1, asked=0, removed=1)
    assert found.posts == 4
    assert found.machine == {"allow": 1, "remove": 2} and found.people == {"remove": 1}
    assert found.versions == {"m1": 2}
    assert found.as_known == 1.0
    assert (found.latency_machine.p50, found.latency_machine.p95) == (10, 30)
    assert (found.latency_people.p50, found.latency_people.p95) == (5000, 5000)


def test_a_decision_that_a_repeat_gave_again_is_counted_once() -> None:
    found = figures(fold(lines(("a", ""))), seen((10, decided("a")), (20, decided("a"))))
    assert found.machine == {"allow": 1}


def test_audits_compare_people_with_the_machine() -> None:
    right = requested("a", number="audit", purpose="audit")
    wrong = requested("b", number="audit", purpose="audit")
    events: list[tuple[int, OutcomeEvent]] = [(1, decided("a")), (1, decided("b")), (1, right), (1, wrong)]
    events += [(2, settled(right, completed(right))), (2, label(right))]
    events += [(2, msgspec.structs.replace(settled(wrong, completed(wrong)), action="remove"))]
    found = figures(fold(lines(("a", ""), ("b", ""))), seen(*events))
    assert (found.audits, found.audits_agreed) == (2, 1)


def test_nothing_came_of_nothing() -> None:
    found = figures(fold([]), seen())
    assert found.posts == 0 and found.latency_machine.p50 is None and found.as_known is None
