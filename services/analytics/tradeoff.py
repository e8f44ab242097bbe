"""What the trade-off page shows: audited labels and last week's items, asked of ClickHouse, put to the live model."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from services.analytics.core.slider import Seen, slider
from services.analytics.engine import Connection
from services.events.topics import Topics
from services.policy.certification.labels import AuditLabels, audit_labels
from services.policy.certified import certified
from services.policy.model import Policy, Risks
from services.policy.parse import parse
from services.policy.tradeoff import frontier
from services.policy.week import Kind, Week
from services.scoring import operating_points
from services.scoring.bundle import Bundle, BundleError, load
from services.scoring.live_model import located
from services.scoring.normalise import normalise
from services.scoring.unseen import unseen

DAYS = 7  # of a week
KEPT_SECONDS = 30.0  # that an answer is given again
MOST_LABELS = 200_000  # the newest: more say little more
NO_POLICY = "No policy is live: release one with `sluicegate policy release FILE`."
NO_MODEL = "No model is live: release one with `sluicegate model release DIR`."
NOTHING_COMMON = "The live model scores none of the policy's categories: release one that fits the other."

POLICY = "SELECT document, policy_version FROM policy_released ORDER BY _timestamp DESC, _offset DESC LIMIT 1"
MODEL = """
SELECT model_version, bundle FROM model_released WHERE tier = 'fast' ORDER BY _timestamp DESC, _offset DESC LIMIT 1
"""
LABELS = """
SELECT assumeNotNull(text), arrayFirst(l -> l.category = {category:String}, labels).value, selection.probability,
    toString(occurred_at), _partition, _offset
FROM (SELECT * FROM label_recorded ORDER BY _offset DESC LIMIT 1 BY source, item_id)
WHERE text IS NOT NULL AND selection.reason != 'remoderated'
    AND arrayExists(l -> l.category = {category:String}, labels)
    AND concat(source, '/', item_id) NOT IN (SELECT key FROM tombstones WHERE _topic = 'label.recorded')
ORDER BY _timestamp DESC LIMIT {most:UInt32}
"""
FIRST = "((decision_seq = 0 AND final) OR (decision_seq = 1 AND NOT final)) AND run_id IS NULL"
WEEK = f"""
SELECT
    arraySort(arrayMap(
        s -> (toString(s.category), multiIf(
            indexOf({{names:Array(String)}}, s.category) = 0, 1,
            s.probability >= {{removes:Array(Float64)}}[indexOf({{names:Array(String)}}, s.category)], 2,
            s.probability <= {{allows:Array(Float64)}}[indexOf({{names:Array(String)}}, s.category)], 0, 1)),
        arrayFilter(s -> s.category != {{category:String}}, scores))) AS others,
    if(arrayExists(s -> s.category = {{category:String}}, scores), toInt32(arrayCount(
        t -> t <= arrayFirst(s -> s.category = {{category:String}}, scores).probability,
        {{thresholds:Array(Float64)}})), -1) AS bin,
    multiIf(ifNull(model_version, '') != {{model:String}}, 'elsewhere',
        basis NOT IN ('automated', 'inline', 'rule', 'fallback') OR match(ifNull(rule, ''), '^(rule|list) ')
            OR ifNull(task_id, '') IN (
                SELECT task_id FROM review_requested
                WHERE selection.reason = 'rule' AND _timestamp >= toDateTime({{start:UInt32}}, 'UTC')),
        'fixed', 'scores') AS by_what,
    count()
FROM (
    SELECT * FROM content_decided WHERE _timestamp >= toDateTime({{start:UInt32}}, 'UTC') AND {FIRST}
    ORDER BY _offset LIMIT 1 BY event_id
)
GROUP BY others, bin, by_what
"""
SECONDS = """
SELECT queue, avg(seconds_spent) FROM review_completed
WHERE NOT retraction AND seconds_spent IS NOT NULL AND _timestamp >= toDateTime({start:UInt32}, 'UTC')
GROUP BY queue
"""
NEVER = {"removes": 2.0, "allows": -1.0}


class _Label(NamedTuple):
    text: str
    value: bool
    probability: float
    occurred_at: str
    partition: int
    offset: int


class Tradeoff:
    """Answers for the page, one at a time: each scores all labels with the live model, or is `KEPT_SECONDS` old."""

    def __init__(
        self, connection: Connection, var: Path, topics: Topics, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._connection = connection
        self._var = var
        self._queues = frozenset(topics.queues)
        self._retention_hours = topics.topics["review.requested"].retention_hours
        self._clock = clock
        self._lock = threading.Lock()
        self._bundle: Bundle | None = None
        self._kept: dict[tuple[str | None, float], tuple[float, dict[str, Any]]] = {}

    def of(self, category: str | None, confidence: float, now: int) -> dict[str, Any]:
        """See core.slider; `missing` says what to do where there is nothing to show. `now` in s since 1970.

        Raises KeyError where the policy or the model has no such category.
        """
        asked = (category, confidence)
        with self._lock:
            at, found = self._kept.get(asked, (-KEPT_SECONDS, None))
            if found is None or self._clock() - at >= KEPT_SECONDS:
                found = self._made(category, confidence, now)
                self._kept = {
                    key: kept for key, kept in self._kept.items() if self._clock() - kept[0] < KEPT_SECONDS
                }
                self._kept[asked] = (self._clock(), found)
            return found

    def _made(self, category: str | None, confidence: float, now: int) -> dict[str, Any]:
        documents, models = self._rows(POLICY), self._rows(MODEL)
        if not documents:
            return {"missing": NO_POLICY}
        if not models:
            return {"missing": NO_MODEL}
        try:
            model = self._model(*models[0])
        except BundleError as error:
            return {"missing": f"The live model cannot be read: {error}"}
        stated = parse(documents[0][0], self._queues, retention_hours=self._retention_hours)
        points = operating_points.read(model.folder, model.manifest.content_hash)
        policy = certified(stated, points)
        categories = [name for name in policy.categories if name in model.categories]
        if not categories:
            return {"missing": NOTHING_COMMON}
        name = category or categories[0]
        if name not in categories:
            raise KeyError(name)
        rule = policy.categories[name]
        labels, left_out = self._labels(model, name)
        stops = rule.risks or Risks(wrong_removals=0.02, missed=0.05, confidence=confidence)
        edge = frontier(
            labels, Risks(wrong_removals=stops.wrong_removals, missed=stops.missed, confidence=confidence)
        )
        start = now - DAYS * 86_400
        week = self._week(policy, model, name, edge.thresholds(rule.remove, rule.allow), start)
        seconds = dict(self._rows(SECONDS, start=start))
        seen = Seen(policy, stated, model.model_version, name, labels, left_out, edge, week, seconds, DAYS)
        return slider(seen) | {"categories": categories, "as_of": now}

    def _model(self, version: str, where: str) -> Bundle:
        """Raises BundleError."""
        if self._bundle is None or self._bundle.model_version != version:
            self._bundle = load(located(self._var, where))
        return self._bundle

    def _labels(self, model: Bundle, category: str) -> tuple[AuditLabels, int]:
        """As `policy tune` takes them: on texts that the model has not seen, scored by it."""
        found = [_Label(*row) for row in self._rows(LABELS, category=category, most=MOST_LABELS)]
        usable, left_out = unseen(found, model.manifest)
        scores = model.classifier.classify([label.text for label in usable]).probability
        column = model.categories.index(category)
        labels = audit_labels(
            scores[:, column].astype(np.float64),
            [label.value for label in usable],
            [label.probability for label in usable],
            [normalise(label.text) for label in usable],
        )
        return labels, left_out

    def _week(
        self, policy: Policy, model: Bundle, category: str, thresholds: tuple[float, ...], start: int
    ) -> Week:
        rules = list(policy.categories.values())
        rows = self._rows(
            WEEK,
            category=category,
            model=model.model_version,
            start=start,
            thresholds=list(thresholds),
            names=[rule.name for rule in rules],
            removes=[NEVER["removes"] if rule.remove is None else rule.remove for rule in rules],
            allows=[NEVER["allows"] if rule.allow is None else rule.allow for rule in rules],
        )
        kinds = tuple(
            Kind(tuple((str(name), int(zone)) for name, zone in others), None if bin < 0 else bin, items)
            for others, bin, by_what, items in rows
            if by_what == "scores"
        )
        of = {each: sum(row[3] for row in rows if row[2] == each) for each in ("fixed", "elsewhere")}
        return Week(thresholds, kinds, of["fixed"], of["elsewhere"])

    def _rows(self, sql: str, **given: Any) -> list[tuple[Any, ...]]:
        found = self._connection.run(lambda client: client.query(sql, parameters=given))
        return [tuple(row) for row in found.result_rows]
