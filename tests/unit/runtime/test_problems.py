"""What a request that the framework refuses is told."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from pydantic import BaseModel

from services.runtime.problems import answer_problems


class Question(BaseModel):
    sql: str


Ask = Callable[..., httpx.Response]


@pytest.fixture
def ask() -> Ask:
    app = FastAPI()
    answer_problems(app)

    @app.post("/ask")
    def answer(question: Question) -> str:
        return question.sql

    async def post(**given: Any) -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://asked") as client:
            return await client.post("/ask", **given)

    return lambda **given: asyncio.run(post(**given))


@pytest.mark.parametrize("sent", ["application/x-www-form-urlencoded", "text/plain", None])
def test_json_that_is_not_said_to_be_json_is_told_the_header(ask: Ask, sent: str | None) -> None:
    answer = ask(content=b'{"sql": "SELECT 1"}', headers={"Content-Type": sent} if sent else {})
    assert answer.status_code == 415
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert "Content-Type: application/json" in answer.json()["detail"]


@pytest.mark.parametrize(
    "sent", ["application/json", "application/json; charset=utf-8", "application/x+json"]
)
def test_json_that_is_said_to_be_is_taken(ask: Ask, sent: str) -> None:
    answer = ask(content=b'{"sql": "SELECT 1"}', headers={"Content-Type": sent})
    assert (answer.status_code, answer.json()) == (200, "SELECT 1")


def test_what_is_wrong_in_json_is_pointed_at(ask: Ask) -> None:
    assert ask(json={"sql": 1}).json()["pointer"] == "/sql"
    assert ask(json=[]).status_code == 422
    assert ask().status_code == 422
