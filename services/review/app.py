"""The application: routes, errors, headers, and the console's files."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from fastapi import FastAPI, Request, Response
from fastapi.responses import PlainTextResponse
from fastapi.staticfiles import StaticFiles
from prometheus_client import generate_latest
from redis import Redis, RedisError

from services.review import problems
from services.review.accounts import Accounts
from services.review.api import work_routes
from services.review.logins import Guard, Throttle
from services.review.metrics import ApiMetrics
from services.review.people import admin_routes, login_routes
from services.review.queue import Queues
from services.review.settings import ApiSettings
from services.review.verdicts import Verdicts
from services.runtime.acknowledged import AcknowledgedProducer
from services.runtime.audit import Audit
from services.runtime.publishing import Publisher

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
UNBUILT = "The console is not built: run `npm ci && npm run build` in services/console (or `make setup`).\n"


@dataclass(frozen=True)
class Clients:
    """What the API talks to."""

    redis: Redis
    accounts: Accounts
    producer: AcknowledgedProducer
    publisher: Publisher


def build_app(settings: ApiSettings, clients: Clients) -> FastAPI:
    """The application on these clients."""
    app = FastAPI(title="Sluicegate review", docs_url="/docs", redoc_url=None)
    metrics = ApiMetrics()
    queues, guard = Queues(clients.redis), Guard(clients.accounts)
    audit = Audit(clients.producer, clients.publisher, "account")
    verdicts = Verdicts(settings, queues, clients.producer, clients.publisher)
    throttle = Throttle(clients.redis, settings.review_login_failures, settings.review_login_failures_address)
    problems.install(app)
    _watch(app, metrics)
    app.include_router(login_routes(settings, clients.accounts, guard, throttle, audit))
    secret = clients.accounts.secret("leases")
    app.include_router(work_routes(settings, guard, queues, verdicts, audit, secret))
    app.include_router(admin_routes(guard, clients.accounts, audit, clients.producer, clients.publisher))
    _probes(app, queues, metrics)
    _console(app, settings.review_console)
    return app


def _watch(app: FastAPI, metrics: ApiMetrics) -> None:
    """Count, time, and add what browsers need to be told."""

    @app.middleware("http")
    async def watch(request: Request, go_on: Callable[[Request], Awaitable[Response]]) -> Response:
        began = time.perf_counter()
        answer = await go_on(request)
        route = getattr(request.scope.get("route"), "path", "other")
        metrics.requests.labels(route, answer.status_code).inc()
        metrics.seconds.labels(route).observe(time.perf_counter() - began)
        if request.url.path != "/docs":  # it loads its scripts from elsewhere
            answer.headers.update(HEADERS)
        if request.url.path.startswith("/v1/"):
            answer.headers["Cache-Control"] = "no-store"
        return answer


def _probes(app: FastAPI, queues: Queues, metrics: ApiMetrics) -> None:
    @app.get("/healthz", include_in_schema=False)
    def alive() -> PlainTextResponse:
        return PlainTextResponse("alive\n")

    @app.get("/readyz", include_in_schema=False)
    def ready() -> PlainTextResponse:
        try:
            states = {name: queues.get(name).look().state for name in queues.names()}
        except RedisError as error:
            return PlainTextResponse(f"Redis does not answer: {error}\n", 503)
        waiting = [name for name, state in states.items() if state != "ready"]
        if waiting:
            return PlainTextResponse(f"rebuilding {', '.join(waiting)} from Kafka; it ends by itself\n", 503)
        if not states:
            return PlainTextResponse("no queue yet: is `python -m services.review feed` running?\n", 503)
        return PlainTextResponse("ready\n")

    @app.get("/metrics", include_in_schema=False)
    def measured() -> Response:
        return Response(generate_latest(metrics.registry), media_type="text/plain; version=0.0.4")


def _console(app: FastAPI, folder: Path) -> None:
    if (folder / "index.html").exists():
        app.mount("/", StaticFiles(directory=folder, html=True), name="console")
        return

    @app.get("/", include_in_schema=False)
    def unbuilt() -> PlainTextResponse:
        return PlainTextResponse(UNBUILT, 503)
