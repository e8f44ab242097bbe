"""A history as analytics has it in ClickHouse, asked page by page through its API, as any analyst may."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import click
import msgspec

from services.cli.backtesting.span import Span, Step
from services.cli.query import ask
from services.events.instants import from_millis
from services.policy import recorded
from services.policy.comparison import Label
from services.runtime.settings import Settings

PAGE = 4_000  # decisions asked for at a time: an answer has at most 10,000 rows and 32 MB
BUSY = ("go on in", "ask again")  # how analytics says that it will answer later
PATIENCE = 90  # s that a question waits for its turn
SHOWN = """((decision_seq = 0 AND final) OR (decision_seq = 1 AND NOT final AND interim = 0)
OR (final AND basis = 'duplicate'))"""
EXTENT = "SELECT count() AS records, max(_partition) + 1 AS shards FROM content_decided WHERE {where}"
BEGINNINGS = "SELECT min(_offset) AS earliest FROM content_decided GROUP BY _partition"
DECISIONS = """SELECT _offset AS place, toUnixTimestamp64Milli(occurred_at) AS occurred, source, item_id, revision,
decision_seq, final, interim, action, categories, basis, rule, supersedes, scores.category AS scored,
scores.probability AS probabilities, circumstances.automation AS automation, circumstances.alarms AS alarms,
circumstances.capped AS capped, circumstances.draw AS draw, circumstances.counters AS counters,
circumstances.slow AS slow, circumstances.fast_model_version AS fast_model_version,
circumstances.budget.value AS budget_value, circumstances.budget.threshold AS budget_threshold,
circumstances.budget.margin AS budget_margin, circumstances.budget.probability AS budget_probability,
circumstances.budget.draw AS budget_draw, circumstances.precedent.decision AS precedent,
circumstances.precedent.action AS precedent_action, circumstances.precedent.categories AS precedent_categories,
circumstances.listed.name AS lists, circumstances.listed.version AS list_versions,
model_version, policy_version, toUnixTimestamp64Milli(accepted_at) AS accepted
FROM content_decided WHERE {where} ORDER BY _offset LIMIT {most}"""
OF_PAGE = """run_id IS NULL AND (source, item_id, revision) IN
(SELECT source, item_id, revision FROM content_decided WHERE {where})"""
ITEMS = f"""SELECT _offset AS place, toUnixTimestamp64Milli(_timestamp) AS appended, source, item_id, revision, tier,
toUnixTimestamp64Milli(slow_until) AS slow, inline, item.kind AS kind, item.text AS text,
length(item.media.url) AS media, item.language AS language, item.author.id AS author,
toUnixTimestamp64Milli(item.author.created_at) AS created, item.reach AS reach
FROM content_classified WHERE NOT withdrawn AND {OF_PAGE} ORDER BY _offset"""
QUESTIONS = f"""SELECT task_id, queue, selection.reason AS reason, selection.probability AS probability, votes_wanted
FROM review_requested WHERE {OF_PAGE}"""
LABELS = f"""SELECT source, item_id, revision, action, selection.probability AS probability FROM label_recorded
WHERE {OF_PAGE.removeprefix("run_id IS NULL AND ")} ORDER BY _offset"""
Row = dict[str, Any]


class ClickHouseHistory:
    """See Source. Raises ClickException where analytics does not answer."""

    def __init__(self, settings: Settings, span: Span, key: str | None) -> None:
        self._settings, self._key = settings, key
        self._within = f"run_id IS NULL AND {SHOWN}"
        if span.warm is not None:
            self._within += f" AND toUnixTimestamp64Milli(_timestamp) >= {span.warm}"
        if span.until is not None:
            self._within += f" AND toUnixTimestamp64Milli(_timestamp) < {span.until}"
        (extent,) = self._rows(EXTENT.format(where=self._within))
        self.records = int(extent["records"])
        self.shards = max(settings.shards, int(extent["shards"]) if self.records else 0)
        self.from_the_start = span.warm is None and all(
            row["earliest"] == 0 for row in self._rows(BEGINNINGS)
        )
        self.unmatched = self.unasked = 0
        self.labels: dict[tuple[str, int], Label] = {}

    def read(self, shard: int) -> Iterator[Step]:
        """What was decided in a shard, in its order."""
        of, after, number, most = recorded.Shard(shard), -1, 0, PAGE
        known: set[int] = set()  # offsets of items that an earlier page has brought
        while True:
            page = f"{self._within} AND _partition = {shard} AND _offset > {after}"
            try:
                decisions = self._rows(DECISIONS.format(where=page, most=most))
                if not decisions:
                    break
                where = f"{page} AND _offset <= {decisions[-1]['place']}"
                items, questions, labels = (
                    self._rows(sql.format(where=where)) for sql in (ITEMS, QUESTIONS, LABELS)
                )
            except click.ClickException as error:
                if "too many rows" not in error.message or most == 1:
                    raise
                most = max(1, most // 4)  # long texts
                continue
            for row in questions:
                of.ask(_question(row))
            for row in items:
                if row["place"] not in known:
                    known.add(row["place"])
                    of.publish(_published(row), row["appended"])
            for row in labels:
                key = f"{row['source']}/{row['item_id']}", row["revision"]
                self.labels[key] = Label(row["action"] != "allow", row["probability"])
            for row in decisions:
                number, after = number + 1, row["place"]
                yield number, of.decide(_decision(row))
        self.unmatched += of.unmatched
        self.unasked += of.unasked

    def _rows(self, sql: str) -> list[Row]:
        """The answer to one question; waits where the key has asked enough for this minute, or others ask."""
        end = time.monotonic() + PATIENCE
        while True:
            try:
                found = ask(self._settings, sql, self._key)
                break
            except click.ClickException as error:
                if not any(word in error.message for word in BUSY) or time.monotonic() > end:
                    raise
                time.sleep(1)
        names = [column["name"] for column in found["meta"]]
        return [dict(zip(names, row, strict=True)) for row in found["data"]]


def _instant(millis: int | None) -> str | None:
    return None if millis is None else from_millis(millis)


def _decision(row: Row) -> recorded.Decision:
    """As Kafka has it, as far as a backtest looks at it."""
    circumstances: Row = {
        name: row[name] for name in ("automation", "alarms", "capped", "draw", "slow", "fast_model_version")
    }
    circumstances["counters"] = None if row["counters"] is None else msgspec.json.decode(row["counters"])
    lists = zip(row["lists"], row["list_versions"], strict=True)
    circumstances["listed"] = [{"name": name, "version": version} for name, version in lists]
    if row["budget_value"] is not None:
        circumstances["budget"] = {
            name: row[f"budget_{name}"] for name in ("value", "threshold", "margin", "probability", "draw")
        }
    if row["precedent"]:
        circumstances["precedent"] = {
            "decision": row["precedent"],
            "action": row["precedent_action"],
            "categories": row["precedent_categories"],
        }
    scores = zip(row["scored"], row["probabilities"], strict=True)
    fields = row | {
        "occurred_at": from_millis(row["occurred"]),
        "scores": [{"category": name, "probability": value} for name, value in scores],
        "circumstances": circumstances,
        "accepted_at": _instant(row["accepted"]),
    }
    return msgspec.convert(fields, recorded.Decision)


def _published(row: Row) -> recorded.Published:
    """The item with what rules may look at; fields of a platform's own are not kept in ClickHouse."""
    item: Row = {name: row[name] for name in ("kind", "text", "language", "reach") if row[name] is not None}
    item["media"] = [{}] * row["media"]
    if row["author"]:
        item["author"] = {"id": row["author"], "created_at": _instant(row["created"])}
    return recorded.Published(
        source=row["source"],
        item_id=row["item_id"],
        revision=row["revision"],
        item=msgspec.Raw(msgspec.json.encode(item)),
        tier=row["tier"],
        slow_until=_instant(row["slow"]),
        inline=None if row["inline"] is None else msgspec.json.decode(row["inline"], type=recorded.Inline),
    )


def _question(row: Row) -> recorded.Question:
    selection = {"reason": row["reason"], "probability": row["probability"]}
    return msgspec.convert(row | {"selection": selection}, recorded.Question)
