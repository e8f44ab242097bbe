"""Where an item stands, from what was recorded of it. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias

State = Literal["received", "in_review", "decided", "withdrawn", "superseded"]
Row: TypeAlias = Mapping[str, Any]


def standing(
    source: str,
    item_id: str,
    submissions: Sequence[Row],
    decisions: Sequence[Row],
    tasks: Sequence[Row],
) -> dict[str, Any] | None:
    """The item as it is answered, None where nothing is known of it.

    submissions: revision, withdrawn; decisions: revision, decision_seq, final, interim, action; tasks: revision,
    purpose, open.
    Rows may come in any order and, where a record was repeated, more than once.
    """
    revisions = {int(row["revision"]) for row in (*submissions, *decisions, *tasks)}
    if not revisions:
        return None
    highest = max(revisions)
    own = [row for row in decisions if row["revision"] == highest]
    last = max(own, key=lambda row: (row["decision_seq"], row["final"], row["interim"]), default=None)
    return {
        "source": source,
        "item_id": item_id,
        "revision": highest,
        "state": state_of(highest, submissions, decisions, tasks),
        "action": last["action"] if last else None,
        "revisions": [
            {**row, "state": state_of(row["revision"], submissions, decisions, tasks)}
            for row in sorted(submissions, key=lambda row: (row["revision"], row["withdrawn"]))
        ],
        "decisions": sorted(
            decisions, key=lambda row: (row["revision"], row["decision_seq"], row["final"], row["interim"])
        ),
        "tasks": sorted(tasks, key=lambda row: (row["revision"], row["task_id"])),
    }


def state_of(
    revision: int, submissions: Sequence[Row], decisions: Sequence[Row], tasks: Sequence[Row]
) -> State:
    """Where one revision stands. A withdrawal closes every revision up to its own, an edit those before it."""
    if any(row["withdrawn"] and row["revision"] >= revision for row in submissions):
        return "withdrawn"
    if any(row["revision"] == revision and row["final"] for row in decisions):
        return "decided"
    if any(row["revision"] > revision for row in submissions):
        return "superseded"
    if any(row["revision"] == revision and row["open"] and row["purpose"] == "decision" for row in tasks):
        return "in_review"
    return "received"
