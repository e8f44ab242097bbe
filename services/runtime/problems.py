"""Errors over HTTP as RFC 9457 has them: application/problem+json, with what to do in `detail`."""

import re
from typing import Any

import msgspec
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

MEDIA_TYPE = "application/problem+json"
_JSON = re.compile(r"application/(.+\+)?json")


class Problem(Exception):
    """What a caller is told instead of an answer."""

    def __init__(
        self,
        status: int,
        title: str,
        detail: str,
        *,
        pointer: str | None = None,
        retry_after: int | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(f"{status} {title}: {detail}")
        self.status = status
        self.title = title
        self.detail = detail
        self.pointer = pointer  # JSON Pointer of the field that is wrong
        self.retry_after = retry_after  # seconds
        self.headers = headers or {}

    def document(self) -> dict[str, Any]:
        """The problem as JSON has it."""
        found: dict[str, Any] = {"title": self.title, "status": self.status, "detail": self.detail}
        if self.pointer is not None:
            found["pointer"] = self.pointer
        return found

    def response(self) -> Response:
        """The problem as an answer."""
        headers = dict(self.headers)
        if self.retry_after is not None:
            headers["Retry-After"] = str(self.retry_after)
        return Response(msgspec.json.encode(self.document()), self.status, headers, MEDIA_TYPE)


def answer_problems(app: FastAPI) -> None:
    """Every error is answered as a problem: ours, the framework's, and what it finds wrong in a request."""

    async def ours(_: Request, error: Exception) -> Response:
        assert isinstance(error, Problem)
        return error.response()

    async def frameworks(_: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        found = Problem(error.status_code, str(error.detail).lower(), "see /docs for what there is")
        return found.response()

    async def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        first = error.errors()[0]
        sent = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if tuple(first["loc"]) == ("body",) and first["type"] != "missing" and not _JSON.fullmatch(sent):
            detail = f"the body came as {sent or 'no type'}: send JSON, with Content-Type: application/json"
            return Problem(415, "not said to be JSON", detail).response()
        pointer = "/" + "/".join(str(each) for each in first["loc"][1:])
        return Problem(422, "invalid", f"{first['msg']} ({first['loc'][0]})", pointer=pointer).response()

    app.add_exception_handler(Problem, ours)
    app.add_exception_handler(HTTPException, frameworks)
    app.add_exception_handler(RequestValidationError, invalid)


async def read_body(request: Request, limit: int, what: str) -> bytes:
    """The body, never holding more than `limit` bytes of it. Raises Problem 413."""
    too_large = Problem(
        413,
        "too large",
        f"{what} has more than {limit} bytes: make it smaller",
        headers={"Connection": "close"},
    )
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > limit:
        raise too_large
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise too_large
    return bytes(body)
