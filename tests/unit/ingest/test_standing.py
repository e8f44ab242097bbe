"""What is answered where ClickHouse is behind what Redis knows."""

from services.ingest.memory import Accepted
from services.ingest.standing import combined

STORED = {
    "source": "demo",
    "item_id": "p",
    "revision": 2,
    "state": "decided",
    "action": "remove",
    "revisions": [{"revision": 1, "withdrawn": False}, {"revision": 2, "withdrawn": False}],
    "decisions": [{"revision": 2}],
    "tasks": [],
}


def accepted(revision: int, withdrawn: bool = False) -> Accepted:
    return Accepted("e", "f", 1_790_000_000_000, revision, withdrawn)


def test_nobody_knows_it() -> None:
    assert combined("demo", "p", None, []) is None


def test_what_has_arrived_is_answered_from_there() -> None:
    assert combined("demo", "p", STORED, [accepted(2)]) == STORED


def test_what_has_not_arrived_yet_is_received() -> None:
    found = combined("demo", "p", None, [accepted(1)])
    assert found is not None
    assert (found["state"], found["revision"], found["revisions"][0]["accepted_at"]) == (
        "received",
        1,
        "2026-09-21T14:13:20.000Z",
    )


def test_a_later_edit_or_withdrawal_is_received_though_an_earlier_one_is_decided() -> None:
    for lately in ([accepted(3)], [accepted(2, withdrawn=True)]):
        found = combined("demo", "p", STORED, lately)
        assert found is not None
        assert (found["state"], found["action"], found["decisions"]) == ("received", None, [{"revision": 2}])


def test_a_lower_revision_that_comes_late_changes_nothing() -> None:
    stored = STORED | {"revisions": [{"revision": 2, "withdrawn": False}]}
    found = combined("demo", "p", stored, [accepted(1)])
    assert found is not None
    assert (found["state"], found["revision"], len(found["revisions"])) == ("decided", 2, 2)
