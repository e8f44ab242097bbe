"""What analytics answers over HTTP: an item, charts, SQL; new sources; and what a hostile analyst gets."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from infra.local.kafka import Kafka
from infra.local.redis import Redis
from services.cli.keys import create_analyst_key, create_key, revoke_key
from services.runtime.apikeys import KeyStore
from services.runtime.settings import Settings
from tests.integration.analytics.running import ROOT, World, wait_until
from tests.integration.analytics.test_exactly_once import decided, submitted

REFUSED = [
    "SELECT * FROM file('/etc/passwd', 'LineAsString')",
    "SELECT file('/etc/passwd')",
    "SELECT * FROM `/etc/passwd`",
    "SELECT * FROM '/etc/passwd'",
    "SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')",
    "SELECT * FROM remote('127.0.0.1', system.one)",
    "SELECT * FROM s3('http://127.0.0.1:1/bucket/key', 'CSV')",
    "SELECT * FROM executable('id', 'TSV', 'a String')",
    "SELECT * FROM merge('system', '.*')",
    "SELECT * FROM Python(settings)",
    "SELECT * FROM view(SELECT 1)",
    "SELECT * FROM system.settings",
    "SELECT 1 IN system.one",
    "SELECT * FROM sluicegate.items WHERE 1 IN (SELECT 1 FROM system.processes)",
    "SELECT dictGet('a', 'b', 1)",
    "SELECT aiGenerate('a')",
    "SELECT getSetting('readonly')",
    "SELECT sleep(3)",
    "SELECT 1 INTO OUTFILE '{var}/stolen'",
    "SELECT 1) INTO OUTFILE '{var}/stolen' FORMAT CSV --",
    "SELECT 1) INTO OUTFILE '{var}/stolen' /*",
    "SELECT 1 FORMAT CSV",
    "SELECT 1 SETTINGS max_execution_time = 0",
    "SELECT * FROM (SELECT 1 SETTINGS readonly = 0)",
    "SELECT 1; DROP TABLE content_decided",
    "SELECT 1); DROP TABLE content_decided; SELECT (1",
    "INSERT INTO content_decided (item_id) VALUES ('x')",
    "DROP TABLE content_decided",
    "ALTER TABLE content_decided DELETE WHERE 1",
    "CREATE TABLE x (a Int8) ENGINE = Memory",
    "SET readonly = 0",
    "USE default",
    "KILL QUERY WHERE 1",
    "SYSTEM SHUTDOWN",
    "BACKUP DATABASE sluicegate TO File('x')",
    "EXPLAIN SELECT 1",
    "SHOW TABLES",
    "SELECT count() FROM numbers(100000000000)",
    "SELECT groupArray(number) FROM numbers(190000000)",
    "SELECT number FROM numbers(1000000)",
    "SELECT sum(a.number * b.number) FROM numbers(100000) a CROSS JOIN numbers(1000000) b",
    "SELECT",
    "",
]
ALLOWED = [
    "SELECT count() FROM items",
    "WITH x AS (SELECT count() AS c FROM decisions) SELECT c FROM x",
    "SELECT action, countIf(final) / count(), quantile(0.5)(seconds_to_decision) FROM decisions GROUP BY action",
    "SELECT toStartOfHour(decided_at) AS hour, count() FROM sluicegate.decisions GROUP BY hour ORDER BY hour",
    "SELECT i.kind, d.action FROM items i JOIN decisions d USING (source, item_id) WHERE d.final LIMIT 5",
    "SELECT item_id, row_number() OVER (ORDER BY item_id) FROM items WHERE text ILIKE '%text 1%'",
    "SELECT arrayJoin(categories) AS c, count() FROM decisions WHERE decided_at > now() - INTERVAL 1 DAY GROUP BY c",
    "SELECT ';', 'DROP TABLE x' -- a comment",
    *(
        f"SELECT * FROM {view} LIMIT 1"
        for view in ("tasks", "verdicts", "labels", "models", "alarms", "clusters")
    ),
]


DOCUMENTED = [
    part.strip()
    for part in (ROOT / "docs" / "analyst.md").read_text("utf-8").split("## Five questions")[1].split("\n\n")
    if part.startswith("    SELECT")
]


@pytest.fixture(scope="module")
def world(broker: Kafka, redis_server: Redis, tmp_path_factory: pytest.TempPathFactory) -> World:
    """One for all tests here: each has items of its own."""
    world = World(broker.bootstrap, redis_server.url, tmp_path_factory.mktemp("world"))
    world.apply_topics()
    return world


@pytest.fixture(scope="module")
def analytics(world: World) -> Iterator[httpx.Client]:
    with world.analytics() as client:
        yield client


@pytest.fixture
def analyst(world: World, analytics: httpx.Client) -> dict[str, str]:
    headers = {"Authorization": f"Bearer {create_analyst_key(Settings(**world.settings()), 'ann')}"}
    wait_until(lambda: ask(analytics, headers, "SELECT 1").status_code == 200, 90, "known")
    return headers


def ask(client: httpx.Client, headers: dict[str, str], sql: str) -> httpx.Response:
    return client.post("/v1/query", json={"sql": sql}, headers=headers)


def rows(client: httpx.Client, headers: dict[str, str], sql: str) -> list[list[Any]]:
    answer = ask(client, headers, sql)
    assert answer.status_code == 200, answer.text
    data: list[list[Any]] = answer.json()["data"]
    return data


def test_an_analyst_can_ask_and_a_hostile_one_gets_nothing_else(
    world: World, analytics: httpx.Client, analyst: dict[str, str]
) -> None:
    producer = world.producer()
    for number in range(20):
        producer.produce("content.submitted.demo", submitted(number), f"demo/post-{number}")
        producer.produce("content.decided", decided(number), f"demo/post-{number}")
        producer.produce("content.decided", decided(number), f"demo/post-{number}")  # a repeat counts once
    producer.flush()
    count = "SELECT count() FROM decisions"
    wait_until(lambda: rows(analytics, analyst, count) == [[20]], 90, "decisions arrived")
    assert len(DOCUMENTED) == 5
    for sql in ALLOWED + DOCUMENTED:
        answer = ask(analytics, analyst, sql)
        assert answer.status_code == 200, f"{sql}: {answer.text}"
    for sql in REFUSED:
        answer = ask(analytics, analyst, sql.replace("{var}", str(world.var)))
        assert answer.status_code == 400, f"{sql}: {answer.text[:500]}"
        assert answer.headers["content-type"] == "application/problem+json"
        assert "root:" not in answer.text
        assert rows(analytics, analyst, "SELECT 42") == [[42]], f"what came before leaks: {sql}"
    assert not (world.var / "stolen").exists()
    assert rows(analytics, analyst, count) == [[20]]
    audit = "SELECT count() FROM audit_recorded WHERE action = 'sql.asked' AND detail LIKE '%/etc/passwd%'"
    wait_until(lambda: rows(analytics, analyst, audit)[0][0] >= 3, 90, "every question is on record")


def test_only_an_analysts_key_may_ask(world: World, analytics: httpx.Client, analyst: dict[str, str]) -> None:
    settings = Settings(**world.settings())
    platform = create_key(settings, "demo", 10)
    assert ask(analytics, {}, "SELECT 1").status_code == 401
    assert ask(analytics, {"Authorization": "Bearer sk_wrong"}, "SELECT 1").status_code == 401
    assert ask(analytics, {"Authorization": f"Bearer {platform}"}, "SELECT 1").status_code == 401
    wait_until(lambda: ask(analytics, analyst, "SELECT 1").status_code == 200, 90, "known")
    (key,) = [
        each for each in KeyStore(settings.database_url).all() if each.name == "ann" and not each.revoked_at
    ][-1:]
    revoke_key(settings, key.key_id)
    wait_until(lambda: ask(analytics, analyst, "SELECT 1").status_code == 401, 90, "revoked")


def test_the_topic_of_a_new_source_is_found_within_seconds(world: World, analytics: httpx.Client) -> None:
    create_key(Settings(**world.settings()), "late-source", 10)
    producer = world.producer()
    producer.produce(
        "content.submitted.late-source", submitted(1, source="late-source"), "late-source/post-1"
    )
    producer.flush()
    wait_until(lambda: analytics.get("/v1/items/late-source/post-1").status_code == 200, 90, "found")


def test_an_item_is_answered_with_its_decisions_and_tasks(
    world: World, analytics: httpx.Client, analyst: dict[str, str]
) -> None:
    def in_sql() -> list[Any]:
        columns = "state, action, basis, withdrawn_at IS NULL"
        (row,) = rows(analytics, analyst, f"SELECT {columns} FROM items WHERE item_id = '{item}'")
        return row

    producer = world.producer()
    item = "odd/id@x.1?#%"
    common = {"source": "demo", "item_id": item, "revision": 1}
    producer.produce("content.submitted.demo", submitted(0, item_id=item), f"demo/{item}")
    task = f"demo/{item}@1.1"
    request = {
        "schema": "review_requested.v1",
        "event_id": "a" * 32,
        "occurred_at": "2026-01-31T12:00:00.000Z",
        **common,
        "task_id": task,
        "decision_seq": 1,
        "purpose": "decision",
        "queue": "general",
        "item": {"kind": "post"},
        "selection": {"reason": "uncertain", "probability": 1},
        "severity": 1,
        "deadline": "2026-01-31T12:00:00.000Z",
        "expires_at": "2026-01-31T12:00:00.000Z",
        "votes_wanted": 1,
        "lease_seconds": 60,
    }
    producer.produce("review.requested.general", json.dumps(request).encode(), f"demo/{item}")
    producer.flush()
    path = (
        f"/v1/items/demo/{httpx.URL('http://x', params={'q': item}).query.decode()[2:].replace('+', '%20')}"
    )

    def state() -> str | None:
        answer = analytics.get(path)
        return answer.json()["state"] if answer.status_code == 200 else None

    wait_until(lambda: state() == "in_review", 90, "in review")
    assert analytics.get(path).json()["tasks"][0]["open"] is True
    assert in_sql() == ["in_review", None, None, True]
    final = decided(1, item_id=item, decision_seq=1, basis="human", action="remove", task_id=task)
    producer.produce("content.decided", final, f"demo/{item}")
    closed = {
        "schema": "review_closed.v1",
        "event_id": "b" * 32,
        "occurred_at": "2026-01-31T12:00:00.000Z",
        **common,
        "task_id": task,
        "reason": "settled",
    }
    producer.produce("review.closed", json.dumps(closed).encode(), f"demo/{item}")
    producer.flush()
    wait_until(lambda: state() == "decided", 90, "decided")
    wait_until(lambda: not analytics.get(path).json()["tasks"][0]["open"], 90, "closed")
    found = analytics.get(path).json()
    assert found["action"] == "remove"
    assert in_sql() == ["decided", "remove", "human", True]
    task_row = rows(analytics, analyst, f"SELECT open, ended_how FROM tasks WHERE task_id = '{task}'")
    assert task_row == [[0, "settled"]]
    assert [each["basis"] for each in found["decisions"]] == ["human"]
    withdrawn = {"schema": "content_submitted.v1", **common, "revision": 2, "withdrawn": True}
    producer.produce("content.submitted.demo", json.dumps(withdrawn).encode(), f"demo/{item}")
    producer.flush()
    wait_until(lambda: state() == "withdrawn", 90, "withdrawn")
    assert in_sql() == ["withdrawn", "remove", "human", False]
    assert analytics.get("/v1/items/other/post-1").status_code == 404


def test_near_copies_are_one_cluster(world: World, analytics: httpx.Client, analyst: dict[str, str]) -> None:
    producer = world.producer()
    for number, like in enumerate((None, 0.9, 0.85)):
        event = {
            "schema": "review_clustered.v1",
            "event_id": f"{number:032x}",
            "occurred_at": "2026-01-31T12:00:00.000Z",
            "task_id": f"demo/near-{number}@1.1",
            "source": "demo",
            "item_id": f"near-{number}",
            "revision": 1,
            "queue": "general",
            "cluster": "c" * 32,
            "size": number + 1,
            "similarity": like,
            "method": "minhash-2-128-4-n2",
        }
        producer.produce("review.clustered", json.dumps(event).encode(), f"demo/near-{number}")
    producer.flush()
    asked = f"SELECT tasks, items, sources, least_similarity, first_task FROM clusters WHERE cluster = '{'c' * 32}'"
    wanted = [[3, 3, ["demo"], 0.85, "demo/near-0@1.1"]]
    wait_until(lambda: rows(analytics, analyst, asked) == wanted, 90, "the cluster")


def test_charts_have_a_value_or_null_for_every_time(
    world: World, analytics: httpx.Client, analyst: dict[str, str]
) -> None:
    producer = world.producer()
    for number in range(100, 110):
        producer.produce("content.submitted.demo", submitted(number), f"demo/post-{number}")
        basis = "human" if number % 5 == 0 else "automated"
        event = decided(number, basis=basis, accepted_at="2026-01-31T12:00:00.000Z", model_version="m@1")
        producer.produce("content.decided", event, f"demo/post-{number}")
    producer.flush()

    def decided_by(model: str) -> int:
        models = analytics.get("/v1/charts?minutes=60").json()["models"]
        return sum(sum(each["values"]) for each in models if each["name"] == model)

    wait_until(lambda: decided_by("m@1") == 10, 90, "arrived")
    found = analytics.get("/v1/charts?minutes=60").json()
    series = [
        *found["volume"].values(),
        found["automated"]["percent"],
        *found["queue"].values(),
        *found["time"].values(),
        *found["agreement"].values(),
        *(each["values"] for each in found["models"]),
    ]
    assert all(len(each) == len(found["t"]) for each in series)
    by_machine = "100 * countIf(basis NOT IN ('human', 'appeal')) / count()"
    once = "(SELECT * FROM content_decided WHERE final ORDER BY _offset LIMIT 1 BY event_id)"
    ((percent,),) = rows(analytics, analyst, f"SELECT {by_machine} FROM {once}")
    assert found["span"]["automated"] == pytest.approx(percent, abs=0.01)
    assert found["span"]["received"] > 0 and found["span"]["people"] > 0
    shares = [each for each in found["automated"]["percent"] if each is not None]
    assert 0 < min(shares) < 100
    assert analytics.get("/v1/charts?minutes=1").status_code == 422
    assert analytics.get("/nothing").headers["content-type"] == "application/problem+json"
    metrics = analytics.get("/metrics").text
    assert 'sluicegate_lag_records{topic="content.decided"} 0.0' in metrics
