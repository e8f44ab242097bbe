"""Fifty open copies on the shards of two routers cost one review, and go on together, also where a router is killed."""

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from tests.integration.router.running import Line, verdict_on, wait_for
from tests.unit.policy.making import DOCUMENT, scored

COPIES = 50
AUDIT = {"share": 0, "queue": "audit", "supersede": True}
ALL_AUDITED = {**AUDIT, "share": 1}
QUEUES = {name: {**of, "votes": 1} for name, of in DOCUMENT["queues"].items()}


class Routers:
    """Two workers of the router, each with one of the two shards."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self.processes: dict[int, subprocess.Popen[bytes]] = {}
        self.log = (line.folder / "routers.log").open("ab")

    def start(self, slot: int) -> None:
        env = os.environ | {
            "SLUICEGATE_KAFKA": self.line.settings.kafka,
            "SLUICEGATE_SHARDS": "2",
            "SLUICEGATE_SLOT": str(slot),
            "SLUICEGATE_TIMER_CHECK_MS": "20",
            "SLUICEGATE_METRICS_PORT": "0",
            "SLUICEGATE_VAR": str(self.line.folder / f"var-{slot}"),
        }
        command = [sys.executable, "-m", "services.router"]
        self.processes[slot] = subprocess.Popen(command, env=env, stdout=self.log, stderr=self.log)

    def kill(self, slot: int) -> None:
        """SIGKILL, and nobody starts it again yet."""
        self.processes[slot].kill()
        self.processes[slot].wait(10)

    def stop(self) -> None:
        for process in self.processes.values():
            process.send_signal(signal.SIGCONT)
            process.terminate()
        for process in self.processes.values():
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10)
        self.log.close()


@pytest.fixture(scope="module")
def routers(line: Line) -> Iterator[Routers]:
    routers = Routers(line)
    line.release(audit=AUDIT, queues=QUEUES)
    for slot in (0, 1):
        routers.start(slot)
    line.start("adjudicator")
    yield routers
    routers.stop()


def copies(line: Line, text: str, prefix: str, number: int = COPIES, **changes: Any) -> list[str]:
    """Send so many items of one text, on both shards; their ids."""
    names = [f"{prefix}-{n}" for n in range(number)]
    line.send(*(scored(toxicity=0.5, item_id=name, text_hash=text, **changes) for name in names))
    return names


def finals(line: Line, names: list[str]) -> dict[str, list[dict[str, Any]]]:
    """Final decisions by item, as they were written."""
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    for event in line.scan("content.decided"):
        if event["item_id"] in found and event["final"]:
            found[event["item_id"]].append(event)
    return found


def all_have(line: Line, names: list[str], action: str) -> bool:
    return all(of and of[-1]["action"] == action for of in finals(line, names).values())


def asked(line: Line, names: list[str], purpose: str = "decision") -> dict[str, dict[str, Any]]:
    return {
        e["item_id"]: e
        for e in line.scan("review.requested")
        if e["item_id"] in names and e["purpose"] == purpose
    }


def closed(line: Line, names: list[str]) -> Counter[tuple[str, str]]:
    return Counter((e["item_id"], e["reason"]) for e in line.scan("review.closed") if e["item_id"] in names)


def shards(line: Line, names: list[str]) -> set[int]:
    with closing(line.reader("content.classified")) as reader:
        keys = {f"demo/{name}".encode() for name in names}
        return {r.partition for r in reader.to_end() if r.key in keys}


@pytest.mark.timeout(300)
def test_fifty_open_copies_cost_one_review_and_follow_each_reversal_once(
    line: Line, routers: Routers
) -> None:
    text = "c0" * 16
    names = copies(line, text, "open")
    wait_for("every question", lambda: len(asked(line, names)) == COPIES, 120)
    assert shards(line, names) == {0, 1}
    first = names[7]

    line.send(verdict_on(asked(line, names)[first], "ada", "remove"))
    wait_for("all to inherit", lambda: all_have(line, names, "remove"), 120)

    for name, decided in finals(line, names).items():
        (decision,) = decided
        assert decision["decision_seq"] == 1 and decision["text_hash"] == text
        expected = ("human", None) if name == first else ("duplicate", f"demo/{first}@1.1")
        precedent = decision["circumstances"].get("precedent")
        assert (decision["basis"], precedent and precedent["decision"]) == expected
    others = [name for name in names if name != first]
    assert closed(line, names) == Counter((name, "copy_decided") for name in others)
    assert len([e for e in line.scan("label.recorded") if e["item_id"] in names]) == 1

    # a copy that comes later is audited, and people think otherwise of it: all of them follow
    line.release(audit=ALL_AUDITED, queues=QUEUES)
    late: list[str] = []

    def audited() -> bool:
        late.extend(copies(line, text, f"late-{len(late)}", 1))
        wait_for("its decision", lambda: finals(line, late[-1:])[late[-1]])
        return late[-1] in asked(line, late, "audit")

    wait_for("the policy", audited, 120)
    (decision,) = finals(line, late)[late[-1]]
    assert (decision["decision_seq"], decision["basis"], decision["action"]) == (0, "duplicate", "remove")
    routers.kill(1)  # one of the two is away when they are overturned
    line.send(verdict_on(asked(line, late, "audit")[late[-1]], "eve", "allow"))
    routers.start(1)
    wait_for("the reversal to reach all", lambda: all_have(line, [*names, *late], "allow"), 120)

    for name, decided in finals(line, names).items():
        assert [(e["decision_seq"], e.get("supersedes")) for e in decided] == [(1, None), (2, 1)], name
        assert decided[1]["circumstances"]["precedent"]["decision"] == f"demo/{late[-1]}@1.1"
    for name, decided in finals(line, late).items():
        assert [e["decision_seq"] for e in decided] == [0, 1], name
    line.release(audit=AUDIT, queues=QUEUES)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("slot", [0, 1])
def test_a_router_that_is_killed_before_it_heard_decides_its_copies_when_it_is_back(
    line: Line, routers: Routers, slot: int
) -> None:
    names = copies(line, f"{slot + 1:032x}", f"killed-{slot}")
    wait_for("every question", lambda: len(asked(line, names)) == COPIES, 120)
    os.kill(routers.processes[slot].pid, signal.SIGSTOP)  # it hears nothing from here on
    first = next(iter(asked(line, names)))
    line.send(verdict_on(asked(line, names)[first], "ada", "remove"))
    wait_for("the settlement", lambda: any(e["item_id"] == first for e in line.scan("review.settled")))
    routers.kill(slot)
    routers.start(slot)
    wait_for("all to inherit", lambda: all_have(line, names, "remove"), 120)
    assert all(len(decided) == 1 for decided in finals(line, names).values())
    others = [name for name in names if name != first]
    assert closed(line, names) == Counter((name, "copy_decided") for name in others)


@pytest.mark.timeout(300)
def test_routers_that_are_killed_over_and_over_while_copies_come_lose_and_double_nothing(
    line: Line, routers: Routers
) -> None:
    text = "d1" * 16
    names: list[str] = []
    for turn in range(4):
        names += copies(line, text, f"turn-{turn}", 12)
        if turn == 1:
            line.send(verdict_on(_question(line, names), "ada", "remove"))
        routers.kill(turn % 2)
        routers.start(turn % 2)
    wait_for("all to be decided", lambda: all_have(line, names, "remove"), 120)
    decided = finals(line, names)
    assert all(len(of) == 1 for of in decided.values())
    assert sum(of[0]["basis"] == "human" for of in decided.values()) == 1
    open_ones = {name for name, (decision,) in decided.items() if decision["basis"] == "duplicate"}
    waited = {name for name in open_ones if decided[name][0]["decision_seq"] == 1}
    assert asked(line, names).keys() == waited | (decided.keys() - open_ones)
    assert closed(line, names) == Counter((name, "copy_decided") for name in waited)
    assert line.dead_letters() == []


def _question(line: Line, names: list[str]) -> dict[str, Any]:
    """Any question about these, once there is one."""
    wait_for("a question", lambda: asked(line, names))
    return next(iter(asked(line, names).values()))
