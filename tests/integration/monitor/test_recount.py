"""The exact recount: in a real ClickHouse engine, over HTTP, as the monitor asks for it."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from infra.local.ports import free_ports
from services.analytics.engine import Connection, connect, connect_reader
from services.analytics.migrations import load_migrations, migrate
from services.analytics.recount import recount_routes
from services.analytics.settings import AnalyticsSettings
from services.events.codec import encode
from services.monitor.core.alarming import Count, Subject
from services.monitor.recount import Recount
from services.runtime.problems import answer_problems
from tests.integration.monitor.making import settled

FROM, TO = 1_790_000_000_000, 1_790_000_060_000
INSIDE = FROM + 1000
SPAM = Subject("spam", "m1")


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FastAPI]:
    """The route on a chDB that has ten settlements in the window, four of them against the model, and others."""
    settings = AnalyticsSettings(var=tmp_path_factory.mktemp("analytics"))
    writer = connect(settings)
    migrate(writer, load_migrations())
    events = [
        *(settled(f"a{n}", INSIDE) for n in range(6)),
        *(settled(f"b{n}", INSIDE, spam=0.49) for n in range(2)),
        *(settled(f"c{n}", INSIDE, spam=0.5, people=False) for n in range(2)),
        settled("early", FROM - 1, people=False),
        settled("late", TO, people=False),
        settled("other", INSIDE, people=False, model="m2"),
        settled("split", INSIDE, actions=("remove", "allow"), people=False),
    ]
    events.append(events[6])  # one that came twice
    lines = b"\n".join(
        b'{"_topic":"review.settled","_partition":0,"_offset":%d,"_timestamp":0,%s'
        % (offset, encode(event).removeprefix(b"{"))
        for offset, (event, _) in enumerate(events)
    )
    writer.raw_insert(
        "sluicegate.review_settled",
        insert_block=lines,
        fmt="JSONEachRow",
        settings={"date_time_input_format": "best_effort"},
    )
    connection = Connection(lambda: connect_reader(settings))
    app = FastAPI()
    answer_problems(app)
    app.include_router(recount_routes(connection))
    yield app
    connection.close()
    writer.close()


@pytest.fixture(scope="module")
def url(app: FastAPI) -> Iterator[str]:
    (port,) = free_ports(1)
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()


async def ask(url: str, subject: Subject, start: int = FROM, end: int = TO) -> Count | None:
    recount = Recount(url, timeout_seconds=10)
    try:
        return await recount.count(subject, start, end)
    finally:
        await recount.close()


def test_each_settlement_of_the_window_is_counted_once(url: str) -> None:
    assert asyncio.run(ask(url, SPAM)) == Count(10, 4)


def test_every_category_and_version_is_a_subject_of_its_own(url: str) -> None:
    assert asyncio.run(ask(url, Subject("hate", "m1"))) == Count(10, 0)
    assert asyncio.run(ask(url, Subject("spam", "m2"))) == Count(1, 1)
    assert asyncio.run(ask(url, Subject("spam", "m3"))) == Count(0, 0)


def test_the_window_begins_with_its_first_instant_and_ends_before_its_last(url: str) -> None:
    assert asyncio.run(ask(url, SPAM, FROM - 1, TO)) == Count(11, 5)
    assert asyncio.run(ask(url, SPAM, FROM, TO + 1)) == Count(11, 5)


def test_where_nobody_answers_there_is_no_count() -> None:
    assert asyncio.run(ask(f"http://127.0.0.1:{free_ports(1)[0]}", SPAM)) is None


def test_an_instant_that_is_none_is_refused(url: str) -> None:
    asked = {"category": "spam", "model_version": "m1", "from": "yesterday", "to": "now", "threshold": "0.5"}
    answer = httpx.get(f"{url}/v1/recount/model-against-people", params=asked)
    assert answer.status_code == 400
    assert "yesterday" in answer.text
