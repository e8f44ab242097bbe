"""Errors over HTTP as RFC 9457 problems. Each says what happened and what to do.

Problem
└── one class: its Refusal carries status, type, title, detail
"""

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from redis import RedisError
from starlette.exceptions import HTTPException

from services.review.core.answers import REFUSALS, Refusal, refusal
from services.review.queue import No
from services.review.tokens import NotLeased

MEDIA_TYPE = "application/problem+json"


class Problem(Exception):
    """A request that is refused."""

    def __init__(self, refused: Refusal) -> None:
        super().__init__(refused.detail)
        self.refused = refused


def problem_of(no: No) -> Problem:
    """The problem for what a script answered."""
    return Problem(refusal(no.code, no.why.decode() if no.code in ("gone", "unable") else ""))


def response(refused: Refusal, **more: object) -> JSONResponse:
    """A problem as an HTTP response."""
    body = {
        "type": f"urn:sluicegate:problem:{refused.type}",
        "title": refused.title,
        "status": refused.status,
        "detail": refused.detail,
        **more,
    }
    headers = {"Retry-After": str(refused.retry_after)} if refused.retry_after else {}
    if refused.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse(body, refused.status, headers, MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Every error of the app becomes a problem."""

    @app.exception_handler(Problem)
    def refused(_: Request, error: Problem) -> JSONResponse:
        return response(error.refused)

    @app.exception_handler(NotLeased)
    def not_leased(_: Request, error: NotLeased) -> JSONResponse:
        return response(REFUSALS["not_leased"])

    @app.exception_handler(RedisError)
    def unavailable(_: Request, error: RedisError) -> JSONResponse:
        return response(REFUSALS["unavailable"])

    @app.exception_handler(RequestValidationError)
    def malformed(_: Request, error: RequestValidationError) -> JSONResponse:
        wrong = [
            {"where": "/".join(str(part) for part in each["loc"]), "what": str(each["msg"])}
            for each in error.errors()
        ]
        detail = "; ".join(f"{each['where']}: {each['what']}" for each in wrong[:5])
        return response(Refusal(422, "malformed", "The request is not as it must be", detail), errors=wrong)

    @app.exception_handler(HTTPException)
    def other(_: Request, error: HTTPException) -> JSONResponse:
        detail = f"{error.detail}. See /docs for what there is."
        return response(Refusal(error.status_code, "http", str(error.detail), detail))
