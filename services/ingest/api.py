"""The HTTP API of ingest."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Header, Query, Request
from prometheus_client import generate_latest
from starlette.responses import JSONResponse, PlainTextResponse, Response

from services.events.ids import item_key
from services.ingest.acceptance import RETRY_SECONDS, Acceptance, Answer, problem_of
from services.ingest.authority import Authority
from services.ingest.core import (
    MAX_BATCH_BYTES,
    MAX_BODY_BYTES,
    Refused,
    Submission,
    lines_of,
    submission,
    withdrawal,
)
from services.ingest.metrics import IngestMetrics
from services.ingest.standing import Standing
from services.runtime.audit import Audit
from services.runtime.clock import now_ms
from services.runtime.health import Health
from services.runtime.problems import answer_problems, read_body

Authorization = Annotated[str | None, Header()]
Revision = Annotated[int | None, Query(ge=1, le=2**53 - 1)]


def build(
    authority: Authority,
    acceptance: Acceptance,
    standing: Standing,
    audit: Audit,
    metrics: IngestMetrics,
    health: Health,
    close: Callable[[], Any],
    routers: Sequence[APIRouter] = (),
) -> FastAPI:
    """The application, with more routes from `routers`. `close` is called when it stops."""
    app = FastAPI(title="Sluicegate ingest", version="1", on_shutdown=[close])
    answer_problems(app)
    for router in routers:
        app.include_router(router)

    def read(raw: bytes, source: str) -> Submission | Refused:
        try:
            return submission(raw, source, now_ms())
        except Refused as refused:
            return refused

    @app.post("/v1/items", status_code=202)
    async def submit(request: Request, authorization: Authorization = None) -> Response:
        """Submit one item, or an edit or withdrawal of one. 202 once Kafka has it."""
        key, source = await authority.of(authorization)
        raw = await read_body(request, MAX_BODY_BYTES, "an item")
        (answer,) = await acceptance.accept(key, [read(raw, source)])
        return _single(answer)

    @app.post("/v1/items:batch")
    async def submit_batch(request: Request, authorization: Authorization = None) -> Response:
        """Submit up to 1,000 lines of NDJSON. Each line has a result of its own, in order."""
        key, source = await authority.of(authorization)
        raw = await read_body(request, MAX_BATCH_BYTES, "a batch")
        try:
            lines = lines_of(raw)
        except Refused as refused:
            raise problem_of(refused) from None
        answers = await acceptance.accept(key, [read(line, source) for line in lines])
        return _batch(answers)

    @app.get("/v1/items/{item_id:path}")
    async def stands(item_id: str, authorization: Authorization = None) -> Response:
        """Where an item stands, every decision on it, and its tasks."""
        key, source = await authority.of(authorization)
        found = await standing.of(source, item_id)
        audit.note(key.actor, "item.read", item_key(source, item_id), source=source)
        return JSONResponse(found)

    @app.delete("/v1/items/{item_id:path}", status_code=202)
    async def withdraw(
        item_id: str, revision: Revision = None, authorization: Authorization = None
    ) -> Response:
        """Withdraw every revision up to `revision`; the highest that is known where it is left out."""
        key, source = await authority.of(authorization)
        if revision is None:
            revision = await standing.latest_revision(source, item_id)
        try:
            wanted: Submission | Refused = withdrawal(source, item_id, revision, now_ms())
        except Refused as refused:
            wanted = refused
        (answer,) = await acceptance.accept(key, [wanted])
        if answer.problem is None:
            audit.note(key.actor, "item.withdrawn", item_key(source, item_id), source=source)
        return _single(answer)

    @app.get("/healthz", include_in_schema=False)
    async def alive() -> Response:
        return PlainTextResponse("alive\n")

    @app.get("/readyz", include_in_schema=False)
    async def ready() -> Response:
        return PlainTextResponse((health.reason or "ready") + "\n", 503 if health.reason else 200)

    @app.get("/metrics", include_in_schema=False)
    async def expose() -> Response:
        return Response(generate_latest(metrics.registry), media_type="text/plain; version=0.0.4")

    return app


def _single(answer: Answer) -> Response:
    return answer.problem.response() if answer.problem else JSONResponse(answer.document(), 202)


def _batch(answers: list[Answer]) -> Response:
    """200, unless a line may be sent again as it is: then 503 or 429, so that a caller who looks no further retries."""
    results = [{"line": number, **each.document()} for number, each in enumerate(answers, 1)]
    statuses = [each.status for each in answers]
    body = {"accepted": statuses.count(202), "results": results}
    for status in (503, 429):
        if status in statuses:
            problem = next(each.problem for each in answers if each.status == status)
            wait = problem.retry_after if problem and problem.retry_after else RETRY_SECONDS
            return JSONResponse(body, status, {"Retry-After": str(wait)})
    return JSONResponse(body)
