"""What the monitor asks before it raises an alarm: its count again, over every settlement there was, each once."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from services.analytics.engine import Connection
from services.events.errors import InvalidInstant
from services.events.instants import to_millis
from services.runtime.problems import Problem

MODEL_AGAINST_PEOPLE = """
SELECT uniqExact(event_id) AS count,
    uniqExactIf(event_id, (score.probability >= {threshold:Float64}) != has(categories, score.category))
        AS disagreements
FROM review_settled ARRAY JOIN scores AS score
WHERE agreed AND model_version = {model_version:String} AND score.category = {category:String}
    AND toUnixTimestamp64Milli(occurred_at) >= {start:Int64} AND toUnixTimestamp64Milli(occurred_at) < {end:Int64}
"""


class Recounted(BaseModel):
    """Settled tasks in which people agreed and the model had a score, and those of them where both differ."""

    count: int
    disagreements: int


def model_against_people(
    connection: Connection, category: str, model_version: str, start: int, end: int, threshold: float
) -> Recounted:
    """Counted from `start` to before `end` (ms, of occurred_at); the model says yes from `threshold` on."""
    asked = {
        "category": category,
        "model_version": model_version,
        "start": start,
        "end": end,
        "threshold": threshold,
    }
    found = connection.run(lambda client: client.query(MODEL_AGAINST_PEOPLE, parameters=asked))
    count, disagreements = found.result_rows[0]
    return Recounted(count=count, disagreements=disagreements)


def recount_routes(connection: Connection) -> APIRouter:
    """`GET /v1/recount/model-against-people?category&model_version&from&to&threshold`, on a `connect_reader`."""
    routes = APIRouter()

    @routes.get("/v1/recount/model-against-people")
    def recount(
        category: str,
        model_version: str,
        begin: Annotated[str, Query(alias="from", description="Instant")],
        end: Annotated[str, Query(alias="to", description="Instant, itself left out")],
        threshold: Annotated[float, Query(ge=0, le=1)],
    ) -> Recounted:
        try:
            window = to_millis(begin), to_millis(end)
        except InvalidInstant as error:
            raise Problem(400, "no instant", f"{error}: write it as 2026-01-31T12:00:00.000Z") from error
        return model_against_people(connection, category, model_version, *window, threshold)

    return routes
