"""Where an item stands, whatever order and number its rows come in."""

from itertools import permutations
from typing import Any

from services.analytics.core.standing import standing, state_of


def submitted(revision: int, withdrawn: bool = False) -> dict[str, Any]:
    return {"revision": revision, "withdrawn": withdrawn}


def decided(revision: int, number: int = 0, final: bool = True, action: str = "allow") -> dict[str, Any]:
    return {"revision": revision, "decision_seq": number, "final": final, "interim": 0, "action": action}


def task(revision: int, open_: bool = True, purpose: str = "decision") -> dict[str, Any]:
    return {"revision": revision, "open": open_, "purpose": purpose, "task_id": f"demo/p@{revision}.1"}


def test_states() -> None:
    assert state_of(1, [submitted(1)], [], []) == "received"
    assert state_of(1, [submitted(1)], [], [task(1, purpose="audit")]) == "received"
    assert state_of(1, [submitted(1)], [decided(1, 1, final=False)], [task(1)]) == "in_review"
    assert state_of(1, [submitted(1)], [decided(1)], [task(1, purpose="audit")]) == "decided"
    assert state_of(1, [submitted(1), submitted(2)], [], [task(1, open_=False)]) == "superseded"
    assert state_of(1, [submitted(2, withdrawn=True)], [decided(1)], []) == "withdrawn"
    assert state_of(3, [submitted(2, withdrawn=True), submitted(3)], [], []) == "received"


def test_the_highest_revision_counts_and_of_its_decisions_the_highest() -> None:
    decisions = [decided(1, 5), decided(2, 1, final=False, action="hold"), decided(2, 1, action="remove")]
    for order in permutations(decisions):
        found = standing("demo", "p", [submitted(2), submitted(1)], order, [])
        assert found is not None
        assert (found["revision"], found["state"], found["action"]) == (2, "decided", "remove")
        assert [each["revision"] for each in found["revisions"]] == [1, 2]


def test_nothing_is_known_of_what_nobody_recorded() -> None:
    assert standing("demo", "p", [], [], []) is None
