"""The six charts of the dashboard, as series, and the figure of the whole span above each."""

from typing import Any

from services.analytics.core.buckets import Buckets, buckets, by_name, mean, per_minute, share
from services.analytics.engine import Connection

BUCKET = "toInt64(intDiv(toUnixTimestamp(_timestamp), {step:UInt32}) * {step:UInt32})"
SINCE = "_timestamp >= toDateTime({start:UInt32}, 'UTC')"
FINAL = f"(SELECT * FROM content_decided WHERE {SINCE} AND final ORDER BY _offset LIMIT 1 BY event_id)"
PEOPLE = "basis IN ('human', 'appeal')"
TIMED = "accepted_at IS NOT NULL AND basis != 'duplicate'"  # copies take what people took for the first, or no time
MODELS_SHOWN = 5

SUBMITTED = f"""
SELECT toInt64(intDiv(toUnixTimestamp(at), {{step:UInt32}}) * {{step:UInt32}}) AS b, sum(records) FROM (
    SELECT minute AS at, records FROM submitted_by_minute
    WHERE minute >= toDateTime({{start:UInt32}}, 'UTC') AND {{step:UInt32}} >= 60
    UNION ALL
    SELECT _timestamp, 1 FROM content_submitted WHERE {SINCE} AND {{step:UInt32}} < 60
) GROUP BY b
"""
DECIDED = f"""
SELECT {BUCKET} AS b, count(), countIf(NOT {PEOPLE}) FROM {FINAL} GROUP BY b
"""
REQUESTED = f"""
SELECT {BUCKET} AS b, uniqExact(task_id) FROM review_requested WHERE {SINCE} AND purpose = 'decision' GROUP BY b
"""
TIMES = f"""
SELECT {BUCKET} AS b, {PEOPLE} AS people,
    quantilesExact(0.5, 0.95)(greatest(0, dateDiff('millisecond', assumeNotNull(accepted_at), _timestamp)) / 1000)
FROM {FINAL} WHERE {TIMED} GROUP BY b, people
"""
TIMES_OF_SPAN = f"""
SELECT {PEOPLE} AS people,
    quantileExact(0.5)(greatest(0, dateDiff('millisecond', assumeNotNull(accepted_at), _timestamp)) / 1000)
FROM {FINAL} WHERE {TIMED} GROUP BY people
"""
QUEUE = """
WITH own AS (
    SELECT toInt64(toUnixTimestamp(requested_at)) AS from,
        if(open, 4294967295, toInt64(toUnixTimestamp(assumeNotNull(ended_at)))) AS until
    FROM tasks WHERE open OR ended_at >= toDateTime({start:UInt32}, 'UTC')
)
SELECT at - {step:UInt32} AS b, countIf(from <= seen AND until > seen),
    maxIf(seen - from, from <= seen AND until > seen)
FROM own CROSS JOIN (
    SELECT toInt64(arrayJoin({ends:Array(UInt32)})) AS at, least(at, {now:UInt32}) AS seen
) AS moments GROUP BY b
"""
AGREEMENT = f"""
SELECT {BUCKET} AS b, avg(agreement) * 100, count(),
    countIf(agreed AND arrayExists(x -> x.probability >= 0.5, scores) = (action != 'allow')) AS alike,
    countIf(agreed) AS settled
FROM (SELECT * FROM review_settled WHERE {SINCE} ORDER BY _offset LIMIT 1 BY event_id) GROUP BY b
"""
MODELS = f"""
SELECT {BUCKET} AS b, ifNull(toString(model_version), 'no model'), count() FROM {FINAL} GROUP BY b, 2
"""


class Charts:
    """Counts no record twice, whatever was repeated on a topic."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def of(self, now: int, minutes: int) -> dict[str, Any]:
        """Series of the last `minutes` up to `now` (seconds since 1970), each with a value or null for each of `t`."""
        where = buckets(now, minutes)
        given = {"start": where.start, "step": where.step, "now": now, "ends": where.ends}

        def ask(sql: str) -> list[tuple[Any, ...]]:
            rows = self._connection.run(lambda client: client.query(sql, parameters=given)).result_rows
            return [tuple(row) for row in rows]

        submitted, decided, settled = ask(SUBMITTED), ask(DECIDED), ask(AGREEMENT)
        return {
            "t": where.starts,
            "step": where.step,
            "now": now,
            "volume": self._volume(where, now, submitted, decided, ask(REQUESTED)),
            "automated": {
                "percent": share(
                    where.series(((b, automated) for b, _, automated in decided), 0),
                    where.series(((b, all_) for b, all_, _ in decided), 0),
                )
            },
            "queue": self._queue(where, ask(QUEUE)),
            "time": self._times(where, ask(TIMES)),
            "agreement": self._agreement(where, settled),
            "models": by_name(ask(MODELS), where, MODELS_SHOWN, "others"),
            "span": {
                "received": round(60 * sum(count for _, count in submitted) / (now - where.start), 2),
                "automated": mean((automated / all_ * 100, all_) for _, all_, automated in decided),
                "agreement": mean((percent, tasks) for _, percent, tasks, *_ in settled),
            }
            | dict.fromkeys(("machine", "people"))
            | {("people" if who else "machine"): round(median, 3) for who, median in ask(TIMES_OF_SPAN)},
        }

    def _volume(
        self, where: Buckets, now: int, submitted: list[Any], decided: list[Any], requested: list[Any]
    ) -> dict[str, Any]:
        """Items a minute."""

        def a_minute(rows: list[Any]) -> list[float | None]:
            counts = where.series(((row[0], row[1]) for row in rows), 0)
            return per_minute(counts, where, now)

        return {
            "received": a_minute(submitted),
            "decided": a_minute(decided),
            "to_people": a_minute(requested),
        }

    def _queue(self, where: Buckets, rows: list[Any]) -> dict[str, Any]:
        return {
            "open": where.series(((b, depth) for b, depth, _ in rows), 0),
            "oldest_seconds": where.series(((b, age) for b, depth, age in rows if depth), 0),
        }

    def _times(self, where: Buckets, rows: list[Any]) -> dict[str, Any]:
        """Seconds from acceptance to the final decision, median and 95th percentile."""
        found: dict[str, Any] = {}
        for name, people in (("machine", 0), ("people", 1)):
            for at, quantile in ((0, "median"), (1, "p95")):
                own = ((b, round(values[at], 3)) for b, who, values in rows if int(who) == people)
                found[f"{name}_{quantile}"] = where.series(own)
        return found

    def _agreement(self, where: Buckets, rows: list[Any]) -> dict[str, Any]:
        """In percent: votes for the most common action; settlements that the model's scores had said as well."""
        return {
            "people": where.series((b, round(mean, 2)) for b, mean, *_ in rows),
            "model": where.series(
                (b, round(100 * alike / settled, 2)) for b, _, _, alike, settled in rows if settled
            ),
        }
