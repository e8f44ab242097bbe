"""The edges of the API: sessions, other sites, malformed requests, headers, pages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from infra.local.kafka import Kafka
from infra.local.redis import Redis
from tests.integration.review.world import PASSWORD, RunningApi, World

LOGIN = {"name": "ada", "password": PASSWORD}


@pytest.fixture(scope="module")
def world(kafka: Kafka, review_redis: Redis, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One for all: these tests ask for little."""
    made = World(kafka.bootstrap, review_redis.url, tmp_path_factory.mktemp("http"))
    made.redis.flushall()
    made.feed()
    yield made
    made.close()


@pytest.fixture(scope="module")
def api(world: World) -> RunningApi:
    running = world.api()
    running.accounts.create("ada", "moderator", PASSWORD)
    return running


@pytest.fixture
def browser(api: RunningApi) -> Iterator[httpx.Client]:
    """Somebody with a cookie."""
    with httpx.Client(base_url=api.url) as client:
        assert client.post("/v1/login", json=LOGIN).status_code == 200
        yield client


def test_the_cookie_cannot_be_read_or_sent_by_other_sites(api: RunningApi) -> None:
    answer = httpx.post(f"{api.url}/v1/login", json=LOGIN)
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=strict" in cookie and "Path=/" in cookie
    assert "token" not in answer.json()


def test_a_bearer_login_sets_no_cookie(api: RunningApi) -> None:
    answer = httpx.post(f"{api.url}/v1/login", json=LOGIN | {"bearer": True})
    assert "set-cookie" not in answer.headers
    headers = {"Authorization": f"Bearer {answer.json()['token']}"}
    assert httpx.get(f"{api.url}/v1/me", headers=headers).json()["name"] == "ada"


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_requests_from_other_sites_are_refused(
    browser: httpx.Client, world: World, headers: dict[str, str]
) -> None:
    answer = browser.post(f"/v1/queues/{world.queue}/claim", json={}, headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (403, "urn:sluicegate:problem:foreign-origin")
    assert browser.post("/v1/login", json=LOGIN, headers=headers).status_code == 403


def test_our_own_page_is_not_another_site(browser: httpx.Client, world: World, api: RunningApi) -> None:
    headers = {"Origin": api.url, "Sec-Fetch-Site": "same-origin"}
    assert browser.post(f"/v1/queues/{world.queue}/claim", json={}, headers=headers).status_code in (200, 204)


def test_a_session_ends_with_the_logout(browser: httpx.Client) -> None:
    token = browser.cookies["sluicegate_session"]
    assert browser.get("/v1/me").status_code == 200
    assert browser.post("/v1/logout").status_code == 204
    answer = browser.get("/v1/me", headers={"Cookie": f"sluicegate_session={token}"})
    assert (answer.status_code, answer.json()["type"]) == (401, "urn:sluicegate:problem:not-logged-in")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "me"),
        ("GET", "queues"),
        ("GET", "history"),
        ("GET", "accounts"),
        ("POST", "queues/general/claim"),
        ("POST", "queues/general/pause"),
        ("POST", "verdicts/00000000000000000000000000000000/undo"),
    ],
)
def test_nothing_is_open_to_strangers(api: RunningApi, method: str, path: str) -> None:
    answer = httpx.request(method, f"{api.url}/v1/{path}")
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"token": "x", "action": "ban"},
        {"token": "x", "action": "remove", "categories": ["No Such"]},
        {"token": "x", "action": "remove", "seconds_spent": -1},
        {"token": "x", "action": "remove", "confidence": 2},
        {"token": "x", "action": "remove", "note": "n" * 4001},
        {"token": "x", "action": "remove", "spans": [{"start": -1, "end": 2}]},
        {"token": "x", "action": "remove", "surprise": 1},
        [],
    ],
)
def test_malformed_verdicts_are_refused_with_the_place(browser: httpx.Client, body: object) -> None:
    answer = browser.post("/v1/tasks/demo/post-1@1.1/verdict", json=body)
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:sluicegate:problem:malformed")
    assert answer.json()["errors"][0]["where"].startswith("body")


@pytest.mark.parametrize(("start", "end"), [(0, 10**30), (5, 2), (3, 3), (0, 1000)])
def test_a_part_that_the_text_does_not_have_is_refused_and_the_seat_stays(
    world: World, browser: httpx.Client, start: int, end: int
) -> None:
    world.request(f"part-{start}-{min(end, 9999)}")
    task = browser.post(f"/v1/queues/{world.queue}/claim").json()
    body = {"task_id": task["task_id"], "token": task["token"], "action": "remove", "categories": ["spam"]}
    answer = browser.post("/v1/verdicts", json=body | {"spans": [{"start": start, "end": end}]})
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:sluicegate:problem:no-such-part")
    whole = {"start": 0, "end": len(task["item"]["text"])}
    assert browser.post("/v1/verdicts", json=body | {"spans": [whole]}).status_code == 200


@pytest.mark.parametrize("last", ["0", "-5", "x"])
def test_a_history_of_no_length_is_refused(browser: httpx.Client, last: str) -> None:
    answer = browser.get(f"/v1/history?last={last}")
    assert (answer.status_code, answer.json()["errors"][0]["where"]) == (422, "query/last")
    assert browser.get("/v1/history?last=999").status_code == 200


def test_a_body_that_is_not_json_is_refused(browser: httpx.Client) -> None:
    answer = browser.post("/v1/login", content=b"\xff{", headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"


def test_unknown_paths_and_queues_are_problems(browser: httpx.Client) -> None:
    for path in ("/v1/nothing", "/v1/queues/nothing/claim"):
        answer = browser.post(path)
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["detail"]


def test_odd_item_ids_can_be_decided(world: World, browser: httpx.Client) -> None:
    items = ("a/b", "a@b.c", "q?x=1#y", "100%25", "/verdict", "a//b", "..")
    for item in items:
        world.request(item)
        task = browser.post(f"/v1/queues/{world.queue}/claim").json()
        assert task["item_id"] == item
        answer = browser.post(
            "/v1/verdicts", json={"task_id": task["task_id"], "token": task["token"], "action": "allow"}
        )
        assert answer.status_code == 200, (item, answer.text)
    assert set(items) <= {each.item_id for each in world.verdicts()}


def test_the_admin_sees_accounts_and_moderators_do_not(
    world: World, api: RunningApi, browser: httpx.Client
) -> None:
    assert browser.get("/v1/accounts").status_code == 403
    root = world.person(api, "root", "admin")
    rows = root.http.get("/v1/accounts").json()
    assert [(row["name"], row["role"], row["disabled"]) for row in rows] == [
        ("ada", "moderator", False),
        ("root", "admin", False),
    ]


def test_what_people_do_is_audited(world: World, browser: httpx.Client) -> None:
    task = world.request("post-1")
    got = browser.post(f"/v1/queues/{world.queue}/claim").json()
    browser.post(f"/v1/tasks/{task}/verdict", json={"token": got["token"], "action": "allow"})
    found = [raw for raw in world.records("audit.recorded") if task.encode() in raw]
    assert len(found) == 2
    assert b"task.claimed" in found[0] and b"verdict.given" in found[1]
    assert all(b'"actor":"ada"' in raw for raw in found)


def test_pages_carry_a_policy_and_say_when_the_console_is_not_built(world: World, tmp_path: Path) -> None:
    unbuilt = httpx.get(f"{world.api().url}/")
    assert unbuilt.status_code == 503 and "npm run build" in unbuilt.text
    (tmp_path / "dist").mkdir()
    (tmp_path / "dist" / "index.html").write_text("<title>console</title>")
    built = httpx.get(f"{world.api(review_console=tmp_path / 'dist').url}/")
    assert built.status_code == 200 and "console" in built.text
    assert "default-src 'none'" in built.headers["content-security-policy"]


def test_readiness_and_metrics(api: RunningApi, browser: httpx.Client) -> None:
    assert browser.get("/healthz").status_code == 200
    assert browser.get("/readyz").text == "ready\n"
    browser.get("/v1/me")
    lines = browser.get("/metrics").text
    assert 'sluicegate_review_requests_total{route="/v1/me",status="200"}' in lines
