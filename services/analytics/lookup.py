"""The rows of one item, asked of ClickHouse."""

from typing import Any

from services.analytics.core.standing import standing
from services.analytics.engine import Connection
from services.events.instants import from_millis

ITEM = "source = {source:String} AND item_id = {item_id:String}"
SUBMISSIONS = f"""
SELECT revision, withdrawn, any(event_id) AS event_id, toUnixTimestamp64Milli(min(_timestamp)) AS accepted_at
FROM content_submitted WHERE {ITEM} GROUP BY revision, withdrawn
"""
DECISIONS = f"""
SELECT revision, decision_seq, final, interim, action, categories, basis, rule, supersedes, task_id, model_version,
    policy_version, event_id, toUnixTimestamp64Milli(_timestamp) AS decided_at
FROM content_decided WHERE {ITEM} ORDER BY _offset LIMIT 1 BY revision, decision_seq, final, interim
"""
TASKS = f"""
SELECT task_id, revision, decision_seq, purpose, queue, selection.reason AS selected_because,
    toUnixTimestamp64Milli(_timestamp) AS requested_at
FROM review_requested WHERE {ITEM} ORDER BY _offset LIMIT 1 BY task_id
"""
ENDINGS = f"""
SELECT task_id, revision, toString(reason) AS how, toUnixTimestamp64Milli(_timestamp) AS ended_at
FROM review_closed WHERE {ITEM}
UNION ALL
SELECT toNullable(task_id), revision, if(agreed, 'settled', 'not agreed'), toUnixTimestamp64Milli(_timestamp)
FROM review_settled WHERE {ITEM}
"""


class Lookup:
    """Answers for one item of one source."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def of(self, source: str, item_id: str) -> dict[str, Any] | None:
        """What is recorded of an item (see core.standing), times as events have them; None where nothing is."""
        item = {"source": source, "item_id": item_id}
        submissions = self._rows(SUBMISSIONS, item)
        decisions = self._rows(DECISIONS, item)
        endings = self._rows(ENDINGS, item)
        tasks = [_ended(task, endings) for task in self._rows(TASKS, item)]
        return standing(source, item_id, submissions, decisions, tasks)

    def _rows(self, sql: str, item: dict[str, str]) -> list[dict[str, Any]]:
        found = self.connection.run(lambda client: client.query(sql, parameters=item))
        return [
            {name: from_millis(value) if name.endswith("_at") else value for name, value in row.items()}
            for row in found.named_results()
        ]


def _ended(task: dict[str, Any], endings: list[dict[str, Any]]) -> dict[str, Any]:
    """The task with how and when it ended, if it did: by its own ending, or one of its item."""
    own = [
        each
        for each in endings
        if each["task_id"] == task["task_id"]
        or (each["task_id"] is None and each["revision"] >= task["revision"])
    ]
    first = min(own, key=lambda each: str(each["ended_at"]), default=None)
    return task | {
        "open": first is None,
        "ended_at": first["ended_at"] if first else None,
        "ended_how": first["how"] if first else None,
    }
