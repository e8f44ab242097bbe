"""HTTP of the retrainer: train now, and what trainings came to."""

from typing import Any

import msgspec
from fastapi import FastAPI, Response
from prometheus_client import generate_latest

from services.retrainer.metrics import Metrics
from services.retrainer.retrainer import Busy, Retrainer
from services.runtime.health import Health
from services.runtime.problems import Problem, answer_problems


def make_app(retrainer: Retrainer, health: Health, metrics: Metrics) -> FastAPI:
    """The application. Errors are problem+json."""
    app = FastAPI(title="Sluicegate retrainer", docs_url=None, redoc_url=None)
    answer_problems(app)

    @app.post("/v1/retrain", status_code=202)
    def retrain() -> dict[str, Any]:
        """Start a training; 409 while one runs, 503 until labels are read."""
        if health.reason:
            raise Problem(503, "not ready", health.reason, retry_after=1)
        try:
            return as_json(retrainer.demand())
        except Busy as busy:
            raise Problem(
                409, "a training is running", f"see /v1/trainings/{busy}, and try again after it"
            ) from busy

    @app.get("/v1/trainings")
    def trainings() -> dict[str, Any]:
        """Every training, newest first, and how many labels have come since the last."""
        return {
            "live": retrainer.live.model_version if retrainer.live else None,
            "labels": len(retrainer.labels),
            "new_labels": retrainer.new_labels(),
            "trainings": [as_json(training) for training in reversed(retrainer.outcomes.all())],
        }

    @app.get("/v1/trainings/{training_id}")
    def training(training_id: str) -> dict[str, Any]:
        """One training."""
        found = retrainer.outcomes.get(training_id)
        if found is None:
            raise Problem(404, "no such training", f"{training_id} is not among those of /v1/trainings")
        return as_json(found)

    @app.get("/healthz")
    def healthz() -> Response:
        return Response("alive\n", media_type="text/plain")

    @app.get("/readyz")
    def readyz() -> Response:
        reason = health.reason
        return Response(f"{reason or 'ready'}\n", 503 if reason else 200, media_type="text/plain")

    @app.get("/metrics")
    def exposed() -> Response:
        return Response(
            generate_latest(metrics.registry), media_type="text/plain; version=0.0.4; charset=utf-8"
        )

    return app


def as_json(training: msgspec.Struct) -> dict[str, Any]:
    """A struct as plain values."""
    found: dict[str, Any] = msgspec.to_builtins(training)
    return found
