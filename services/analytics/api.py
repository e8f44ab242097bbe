"""The HTTP API of analytics, and the dashboard."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

from fastapi import FastAPI, Header, Query
from fastapi.staticfiles import StaticFiles
from prometheus_client import generate_latest
from pydantic import BaseModel, Field
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response

from services.analytics.charts import Charts
from services.analytics.lookup import Lookup
from services.analytics.metrics import AnalyticsMetrics
from services.analytics.query import BadQuestion, Questions
from services.analytics.recount import recount_routes
from services.analytics.standings import Standings, standing_routes
from services.analytics.tradeoff import Tradeoff
from services.runtime.apikeys import ApiKey, KeyCache, bearer
from services.runtime.audit import Audit
from services.runtime.clock import now_ms
from services.runtime.health import Health
from services.runtime.problems import Problem, answer_problems

PAGES = Path(__file__).resolve().parent.parent / "console" / "dist"
AT_ONCE = 4  # questions that run or wait; more are told to come again
NOT_BUILT = "The pages are not built: run `make setup`. Their numbers are at /v1/charts and /v1/tradeoff.\n"
Authorization = Annotated[str | None, Header()]


class Question(BaseModel):
    """What an analyst asks."""

    sql: str = Field(max_length=20_000)


class Allowance:
    """Questions a minute of each key; in memory, since this is one process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._minute = 0
        self._asked: dict[str, int] = {}

    def take(self, key: ApiKey, now: int) -> None:
        """Raises Problem 429 where the key has asked its quota in this minute; `now` in ms."""
        minute, second = divmod(now // 1000, 60)
        with self._lock:
            if minute != self._minute:
                self._minute, self._asked = minute, {}
            if self._asked.get(key.key_id, 0) >= key.quota:
                detail = f"the key may ask {key.quota} times a minute: go on in {60 - second} s"
                raise Problem(429, "over quota", detail, retry_after=60 - second)
            self._asked[key.key_id] = self._asked.get(key.key_id, 0) + 1


def build(
    keys: KeyCache,
    lookup: Lookup,
    questions: Questions,
    charts: Charts,
    tradeoff: Tradeoff,
    audit: Audit,
    metrics: AnalyticsMetrics,
    health: Health,
    close: Callable[[], Any],
) -> FastAPI:
    """The application. `close` is called when it stops."""
    app = FastAPI(title="Sluicegate analytics", version="1", on_shutdown=[close])
    answer_problems(app)
    app.include_router(recount_routes(lookup.connection))
    places = threading.BoundedSemaphore(AT_ONCE)
    allowance = Allowance()
    app.include_router(
        standing_routes(Standings(lookup.connection), keys, audit, lambda key: allowance.take(key, now_ms()))
    )

    @app.get("/v1/items/{source}/{item_id:path}")
    def item(source: str, item_id: str) -> Response:
        """Where an item stands. For ingest, which holds its callers to their source."""
        found = lookup.of(source, item_id)
        if found is None:
            raise Problem(404, "unknown item", f"source {source!r} has no item {item_id!r}")
        return JSONResponse(found)

    @app.post("/v1/query")
    def query(question: Question, authorization: Authorization = None) -> Response:
        """Ask one SELECT, with the key of an analyst."""
        key = keys.find(bearer(authorization)) if authorization else None
        if key is None or key.role != "analyst":
            detail = "send `Authorization: Bearer sk_…` with a key of `sluicegate keys create --analyst`"
            raise Problem(401, "no analyst's key", detail, headers={"WWW-Authenticate": "Bearer"})
        allowance.take(key, now_ms())
        if not places.acquire(blocking=False):
            raise Problem(503, "busy", f"{AT_ONCE} questions are being answered: ask again", retry_after=5)
        outcome = "answered"
        try:
            return JSONResponse(questions.ask(question.sql))
        except BadQuestion as error:
            outcome = "refused"
            raise Problem(400, "no answer", str(error)) from error
        finally:
            places.release()
            metrics.queries.labels(outcome).inc()
            audit.note(key.actor, "sql.asked", "analytics", {"sql": question.sql[:4000], "outcome": outcome})

    @app.get("/v1/charts")
    def series(minutes: Annotated[int, Query(ge=5, le=43_200)] = 60) -> Response:
        """The series of the dashboard."""
        return JSONResponse(charts.of(now_ms() // 1000, minutes), headers={"Cache-Control": "no-store"})

    @app.get("/v1/tradeoff")
    def risks(
        category: Annotated[str | None, Query(max_length=40)] = None,
        confidence: Annotated[float, Query(ge=0.5, le=0.999)] = 0.95,
    ) -> Response:
        """People's share against both risks of a category, and what thresholds would have made of last week."""
        try:
            found = tradeoff.of(category, confidence, now_ms() // 1000)
        except KeyError as error:
            detail = f"the live policy and model have no category {category!r}: leave it out to see which they have"
            raise Problem(404, "unknown category", detail) from error
        return JSONResponse(found, headers={"Cache-Control": "no-store"})

    @app.get("/healthz", include_in_schema=False)
    def alive() -> Response:
        return PlainTextResponse("alive\n")

    @app.get("/readyz", include_in_schema=False)
    def ready() -> Response:
        return PlainTextResponse((health.reason or "ready") + "\n", 503 if health.reason else 200)

    @app.get("/metrics", include_in_schema=False)
    def expose() -> Response:
        return Response(generate_latest(metrics.registry), media_type="text/plain; version=0.0.4")

    def page(name: str) -> Response:
        file = PAGES / name
        return FileResponse(file) if file.exists() else PlainTextResponse(NOT_BUILT, 503)

    @app.get("/", include_in_schema=False)
    def dashboard() -> Response:
        return page("dashboard.html")

    @app.get("/tradeoff", include_in_schema=False)
    def tradeoff_page() -> Response:
        return page("tradeoff.html")

    app.mount("/assets", StaticFiles(directory=PAGES / "assets", check_dir=False))
    return app
