"""`sluicegate keys`, `query` and `dead-letters`, as a person types them."""

import json
from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result
from confluent_kafka import Producer

from services.cli.__main__ import main
from services.runtime.deadletter import TOPIC, dead_letter
from services.runtime.letters import read_letters, replay
from services.runtime.records import Record, Rejected
from services.runtime.settings import Settings
from tests.integration.analytics.running import World, committed

Sluicegate = Callable[..., Result]


@pytest.fixture
def sluicegate(world: World) -> Sluicegate:
    def run(*arguments: str, code: int = 0) -> Result:
        env = {name: value for name, value in world.env.items() if name.startswith("SLUICEGATE_")}
        result = CliRunner().invoke(main, arguments, env=env | {"COLUMNS": "300"}, catch_exceptions=False)
        assert result.exit_code == code, result.output
        return result

    return run


def set_aside(producer: Producer, offset: int, value: bytes | None, error: str = "undecodable") -> None:
    record = Record(
        "content.submitted.demo",
        "content.submitted",
        3,
        offset,
        b"demo/x",
        value,
        5,
        (("traceparent", b"00-a"),),
    )
    out = dead_letter(Rejected(record, error, "[why] it is not JSON"), "classifier", 99)
    producer.produce(out.topic, out.value, out.key, headers=list(out.headers))


def test_letters_are_listed_and_brought_back_once(world: World, sluicegate: Sluicegate) -> None:
    producer = world.producer()
    for offset, value, error in (
        (1, b"\xffone", "undecodable"),
        (2, b"two", "forged_source"),
        (3, None, "undecodable"),
    ):
        set_aside(producer, offset, value, error)
    producer.flush()
    listed = sluicegate("dead-letters", "list").output
    assert "3 dead letters" in listed
    assert "[why] it is not JSON" in listed
    assert "\\xffone" in listed
    assert "1 dead letters" in sluicegate("dead-letters", "list", "--error", "forged_source").output
    assert "0 dead letters" in sluicegate("dead-letters", "list", "--topic", "content.decided").output
    sluicegate("dead-letters", "replay", code=2)
    assert "no dead letter has the id 0:99" in sluicegate("dead-letters", "replay", "0:99", code=1).output

    ids = [each.letter_id for each in read_letters(Settings(**world.settings()))]
    assert "1 replayed, 0 were already" in sluicegate("dead-letters", "replay", ids[0]).output
    assert "0 replayed, 1 were already" in sluicegate("dead-letters", "replay", ids[0]).output
    assert (
        "2 replayed, 1 were already"
        in sluicegate("dead-letters", "replay", "--topic", "content.submitted").output
    )
    assert "0 dead letters" in sluicegate("dead-letters", "list").output
    assert "3 dead letters" in sluicegate("dead-letters", "list", "--all").output

    scan = committed(world.kafka)
    back = [
        (place[1], key, value) for place, (key, value) in scan.items() if place[0] == "content.submitted.demo"
    ]
    assert sorted(back, key=str) == sorted(
        [(3, b"demo/x", b"\xffone"), (3, b"demo/x", b"two"), (3, b"demo/x", None)], key=str
    )


def test_a_replay_that_another_has_overtaken_brings_nothing_back(world: World) -> None:
    settings = Settings(**world.settings())
    producer = world.producer()
    set_aside(producer, 8, b"eight")
    producer.flush()
    (letter,) = [each for each in read_letters(settings) if not each.replayed]
    assert [each.letter_id for each in replay(settings, [letter.letter_id], 1)] == [letter.letter_id]
    assert replay(settings, [letter.letter_id], 2) == []
    marks = [
        key for (topic, *_), (key, value) in committed(world.kafka).items() if topic == TOPIC and value == b""
    ]
    assert marks


def test_keys_are_made_listed_and_revoked_and_sql_is_asked(world: World, sluicegate: Sluicegate) -> None:
    sluicegate("keys", "create", code=2)
    sluicegate("keys", "create", "--source", "x", "--analyst", code=2)
    sluicegate("keys", "create", "--source", "Not Valid", code=2)
    secret = sluicegate(
        "keys", "create", "--source", "shop", "--quota", "5", "--name", "the-shop"
    ).stdout.strip()
    assert secret.startswith("sk_")
    assert any(place[0] == "audit.recorded" for place in committed(world.kafka))
    world.producer().list_topics("content.submitted.shop", timeout=10)
    listed = sluicegate("keys", "list").output
    assert "the-shop" in listed
    assert secret not in listed
    key_id = next(line for line in listed.splitlines() if "the-shop" in line).split("\t")[0]
    assert "is revoked" in sluicegate("keys", "revoke", key_id).output
    assert "revoked" in sluicegate("keys", "list").output
    sluicegate("keys", "revoke", "nobody", code=1)

    analyst = sluicegate("keys", "create", "--analyst").stdout.strip()
    sluicegate("query", "SELECT 1", code=2)
    assert "does not answer" in sluicegate("query", "SELECT 1", "--key", analyst, code=1).output
    with world.analytics():
        ask = ("query", "SELECT 1 AS one, ['a'] AS list, NULL AS nothing", "--key", analyst)
        assert "one" in sluicegate(*ask).output
        assert json.loads(sluicegate(*ask, "--format", "json").output) == [
            {"one": 1, "list": ["a"], "nothing": None}
        ]
        assert sluicegate(*ask, "--format", "csv").output.splitlines() == ["one,list,nothing", '1,"[""a""]",']
        refused = sluicegate("query", "SELECT file('/etc/passwd')", "--key", analyst, code=1)
        assert "function file is not for analysts" in refused.output
        wrong = sluicegate("query", "SELECT 1", "--key", "sk_no", code=1)
        assert "sluicegate keys create --analyst" in wrong.output
