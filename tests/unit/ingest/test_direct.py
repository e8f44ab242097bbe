"""What goes past the framework answers as it would; everything else is the application's."""

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.testclient import TestClient

from services.ingest.direct import Direct
from services.runtime.problems import Problem, answer_problems


def client() -> TestClient:
    app = FastAPI()
    answer_problems(app)

    @app.get("/other")
    async def other() -> Response:
        return PlainTextResponse("of the application")

    async def swift(request: Request) -> Response:
        body = await request.body()
        if body == b"bad":
            raise Problem(422, "invalid", "send something else", pointer="/x", retry_after=3)
        return PlainTextResponse(body.decode())

    return TestClient(Direct(app, {"/swift": swift}))


def test_a_route_gets_the_request_and_its_problems_are_answered_as_problems() -> None:
    assert client().post("/swift", content=b"hello").text == "hello"
    answer = client().post("/swift", content=b"bad")
    assert (answer.status_code, answer.headers["retry-after"]) == (422, "3")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["pointer"] == "/x"


def test_other_methods_and_paths_are_the_applications() -> None:
    assert client().get("/other").text == "of the application"
    assert client().get("/swift").status_code == 404
    assert client().post("/other").status_code == 405
