"""Where many items stand, and what they are: for who moderates past items again."""

import json
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Header
from pydantic import BaseModel, Field

from services.analytics.engine import Connection
from services.runtime.apikeys import KeyCache, bearer
from services.runtime.audit import Audit
from services.runtime.problems import Problem

MOST = 1000  # items in one question
KEYS = (
    "(source, item_id) IN (SELECT arrayJoin(arrayZip({sources:Array(String)}, {items:Array(String)})) AS key)"
)
SUBMITTED = f"""
SELECT s.source AS source, s.item_id AS item_id, maxIf(s.revision, NOT s.withdrawn) AS revision,
    maxIf(s.revision, s.withdrawn) AS withdrawn_to,
    argMaxIf(toJSONString(s.item), (s.revision, -toInt64(s._offset)), NOT s.withdrawn) AS item,
    toUnixTimestamp64Milli(argMaxIf(s._timestamp, (s.revision, -toInt64(s._offset)), NOT s.withdrawn)) AS accepted_at
FROM content_submitted AS s WHERE {KEYS} GROUP BY s.source, s.item_id
"""
DECIDED = f"""
SELECT d.source AS source, d.item_id AS item_id, d.revision AS revision,
    max(d.decision_seq) AS last_seq, countIf(d.final) AS finals,
    maxIf(d.decision_seq, d.final) AS decision_seq,
    argMaxIf(d.action, d.decision_seq, d.final) AS action, argMaxIf(d.basis, d.decision_seq, d.final) AS basis,
    argMaxIf(d.categories, d.decision_seq, d.final) AS categories,
    argMaxIf(tuple(d.model_version), d.decision_seq, d.final).1 AS model_version,
    argMaxIf(tuple(d.run_id), d.decision_seq, d.final).1 AS run_id,
    argMaxIf(tuple(d.circumstances.slow), d.decision_seq, d.final).1 AS slow,
    argMin(tuple(d.circumstances.counters), (d.decision_seq, d.interim)).1 AS counters
FROM content_decided AS d WHERE {KEYS} GROUP BY d.source, d.item_id, d.revision
"""
ASKED = f"""
SELECT r.source AS source, r.item_id AS item_id, r.revision AS revision, max(r.decision_seq) AS last_seq,
    countIf(r.purpose = 'decision'
        AND r.task_id NOT IN (SELECT task_id FROM review_settled WHERE {KEYS})
        AND r.task_id NOT IN (SELECT assumeNotNull(task_id) FROM review_closed WHERE task_id IS NOT NULL AND {KEYS})
    ) AS open
FROM review_requested AS r WHERE {KEYS} AND NOT endsWith(r.task_id, '.audit')
GROUP BY r.source, r.item_id, r.revision
"""


class Wanted(BaseModel):
    """Which items, as [source, item_id] each."""

    items: list[tuple[str, str]] = Field(max_length=MOST)


class Standings:
    """On a `connect_reader`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def of(self, items: list[tuple[str, str]]) -> list[dict[str, Any]]:
        """One each of the items that are known, as it stands in its newest revision.

        `state` is decided, in_review (people have it), undecided (nothing final yet) or withdrawn; the decision is
        there where it is decided. `last_seq` is the highest number given out to a question or a decision.
        """
        asked = {"sources": [source for source, _ in items], "items": [item for _, item in items]}
        decided = {_place(row): row for row in self._rows(DECIDED, asked)}
        questions = {_place(row): row for row in self._rows(ASKED, asked)}
        return [
            _standing(row, decided.get(_place(row), {}), questions.get(_place(row), {}))
            for row in self._rows(SUBMITTED, asked)
            if row["revision"]  # else all that is left of it is its withdrawal
        ]

    def _rows(self, sql: str, parameters: dict[str, list[str]]) -> list[dict[str, Any]]:
        found = self._connection.run(lambda client: client.query(sql, parameters=parameters))
        return list(found.named_results())


def _place(row: dict[str, Any]) -> tuple[str, str, int]:
    return row["source"], row["item_id"], row["revision"]


def _standing(row: dict[str, Any], decided: dict[str, Any], asked: dict[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {
        "source": row["source"],
        "item_id": row["item_id"],
        "revision": row["revision"],
        "item": _item(row["item"]),
        "accepted_at": row["accepted_at"],
        "last_seq": max(decided.get("last_seq", 0), asked.get("last_seq", 0)),
    }
    if row["withdrawn_to"] >= row["revision"]:
        return told | {"state": "withdrawn"}
    if asked.get("open"):
        return told | {"state": "in_review"}
    if not decided.get("finals"):
        return told | {"state": "undecided"}
    names = ("decision_seq", "action", "basis", "categories", "model_version", "run_id", "slow")
    counters = decided["counters"]
    return told | {
        "state": "decided",
        **{name: decided[name] for name in names},
        "counters": json.loads(counters) if counters else None,
    }


def _item(raw: str) -> dict[str, Any]:
    """The item as its event had it: what the table writes for what is not there is left out again."""
    item = {name: value for name, value in json.loads(raw).items() if value not in (None, [])}
    if "context" in item:
        item["context"] = json.loads(item["context"])
    if "submitted_at" in item:
        item["submitted_at"] = _instant(item["submitted_at"])
    author = item.pop("author", {})
    if author.get("id"):
        created = author.get("created_at")
        item["author"] = {"id": author["id"], **({"created_at": _instant(created)} if created else {})}
    if "media" in item:
        item["media"] = [{k: v for k, v in each.items() if v is not None} for each in item["media"]]
    return item


def _instant(text: str) -> str:
    """As events write it, of ClickHouse's 2026-01-31 12:00:00.000."""
    return text.replace(" ", "T").removesuffix("Z") + "Z"


def standing_routes(
    standings: Standings, keys: KeyCache, audit: Audit, allow: Callable[[Any], None]
) -> APIRouter:
    """`POST /v1/standing`, with the key of an analyst; `allow` raises where the key has asked its quota."""
    routes = APIRouter()

    @routes.post("/v1/standing")
    def standing(
        wanted: Wanted, authorization: Annotated[str | None, Header()] = None
    ) -> dict[str, list[dict[str, Any]]]:
        """Where items stand, with their content."""
        key = keys.find(bearer(authorization)) if authorization else None
        if key is None or key.role != "analyst":
            detail = "send `Authorization: Bearer sk_…` with a key of `sluicegate keys create --analyst`"
            raise Problem(401, "no analyst's key", detail, headers={"WWW-Authenticate": "Bearer"})
        allow(key)
        first = "/".join(wanted.items[0]) if wanted.items else ""
        audit.note(key.actor, "items.read", "analytics", {"items": len(wanted.items), "first": first[:300]})
        return {"items": standings.of(wanted.items)}

    return routes
