"""Lists on a real broker: their files are edited while the router runs, and the next items are decided by them."""

import httpx
import pytest

from services.events.types import Item
from services.scoring.live_lists import file_of
from services.scoring.text_list import InvalidList
from tests.integration.router.running import Line, wait_for
from tests.unit.policy.making import scored

LISTS = [{"name": "spam", "then": "remove", "category": "spam"}, {"name": "fine", "then": "allow"}]
AUDIT = {"share": 0, "queue": "audit", "supersede": False}


def write(line: Line, name: str, text: str | bytes) -> None:
    path = file_of(line.folder, name)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)


def metric(line: Line, name: str) -> float:
    text = httpx.get(f"http://127.0.0.1:{line.ports['router']}/metrics").text
    return next((float(each.split()[-1]) for each in text.splitlines() if each.startswith(name)), -1.0)


def rule_for(line: Line, item_id: str, text: str) -> str:
    """What decided an item that is sent now."""
    line.send(scored(item_id=item_id, item=Item(kind="post", text=text)))
    wait_for(f"an outcome of {item_id}", lambda: line.decided(item_id))
    (decision,) = line.decided(item_id)
    return str(decision["rule"])


def eventually(line: Line, prefix: str, text: str, rule: str) -> str:
    """Send items with a text until one is decided by `rule`; its id."""
    sent: list[str] = []

    def decided() -> bool:
        sent.append(f"{prefix}-{len(sent)}")
        return rule_for(line, sent[-1], text).startswith(rule)

    wait_for(f"{prefix} to be decided by {rule}", decided)
    return sent[-1]


def test_files_are_edited_while_the_router_runs_and_never_vanish(line: Line) -> None:
    with pytest.raises(InvalidList, match=r"lists/spam\.txt(.|\n)*lists/fine\.txt"):
        line.release(lists=LISTS, audit=AUDIT)
    write(line, "spam", "# of today\nBuy cheap pills\n")
    write(line, "fine", "Good morning\n")
    line.release(lists=LISTS, audit=AUDIT)
    line.start("router")
    wait_for("the router", lambda: line.readiness("router") == "ready")

    assert rule_for(line, "first", "b\u200buy CHEAP p1lls") == "list spam"
    (first,) = line.decided("first")
    assert (first["action"], first["basis"], first["categories"]) == ("remove", "rule", ["spam"])
    ((name, before),) = [(each["name"], each["version"]) for each in first["circumstances"]["listed"]]
    assert name == "spam"
    assert rule_for(line, "other", "Sell cheap pills").startswith("every category")

    write(line, "spam", "Buy cheap pills\nSell cheap pills\n")
    added = eventually(line, "added", "sell  cheap PILLS", "list spam")
    (listed,) = line.decided(added)[0]["circumstances"]["listed"]
    assert listed["version"] != before

    write(line, "spam", b"Buy cheap pills\n\xff\n")
    wait_for("the bad file to be seen", lambda: metric(line, 'sluicegate_list_stale{list="spam"}') == 1)
    assert rule_for(line, "kept", "Sell cheap pills") == "list spam", "what was live stays live"
    log = (line.folder / "router.log").read_text()
    assert "lists/spam.txt, line 2: not UTF-8" in log

    line.processes["router"].kill()
    line.processes["router"].wait(10)
    line.start("router")
    wait_for("the refusal", lambda: "lists/spam.txt, line 2: not UTF-8" in line.readiness("router"))
    line.send(scored(item_id="waits", item=Item(kind="post", text="Buy cheap pills")))
    write(line, "spam", "Sell cheap pills\nBuy cheap pills\n")
    wait_for("the item that waited", lambda: line.decided("waits"))
    assert line.decided("waits")[0]["rule"] == "list spam"
    ids = [event["event_id"] for event in line.scan("content.decided")]
    assert len(ids) == len(set(ids)), "each item is decided once"
