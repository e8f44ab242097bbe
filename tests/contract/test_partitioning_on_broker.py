"""On a real broker the same key goes to the same partition from every client: ours, Faust, HTTP ingest, kcat."""

from __future__ import annotations

import asyncio
import os
import shlex
import shutil
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import httpx
import msgspec
import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient

from infra.local.kafka import Kafka
from infra.local.ports import free_ports
from infra.topics import apply, plan
from services.events.ids import item_key
from services.events.partition import partition_for
from services.events.topics import load_topics, topic_for
from services.monitor.app import build_app, raw_topic
from services.monitor.settings import MonitorSettings
from services.runtime.acknowledged import AcknowledgedProducer
from services.runtime.apikeys import KeyStore
from services.runtime.reading import whole_topics
from services.runtime.records import Outgoing
from services.runtime.settings import Settings

README = Path(__file__).parents[2] / "README.md"
UNTIL_DOCUMENTED = (
    "kcat -P -b 127.0.0.1:19092 -t content.submitted.demo -K '\\t' -X partitioner=murmur2_random"
)
SHARDS = 4
ITEMS = [f"post-{number}" for number in range(150)] + ["a/b", "x" * 200, "0", "~", "A.b_c-9"]


@pytest.fixture
def source(kafka: Kafka) -> str:
    """A source of its own, with its topic."""
    name = f"s-{uuid.uuid4().hex[:12]}"
    topics = plan(load_topics(), SHARDS, sources=[name])
    own = [
        topic for topic in topics if topic.name in (topic_for("content.submitted", name), "audit.recorded")
    ]
    apply(AdminClient({"bootstrap.servers": kafka.bootstrap}), own)
    return name


@pytest.fixture
def settings(kafka: Kafka, tmp_path: Path) -> MonitorSettings:
    return MonitorSettings(kafka=kafka.bootstrap, var=tmp_path, shards=SHARDS)


def where(settings: Settings, source: str) -> dict[bytes, int]:
    """The partition of each key of the source's topic; fails where a key is in two."""
    found: dict[bytes, int] = {}
    with closing(whole_topics(settings, "partitioning", [topic_for("content.submitted", source)])) as reader:
        for record in reader.to_end():
            assert found.setdefault(record.key, record.partition) == record.partition
    return found


def expected(source: str) -> dict[bytes, int]:
    """What every client must come to."""
    keys = [item_key(source, item).encode() for item in ITEMS]
    return {key: partition_for(key, SHARDS) for key in keys}


def from_our_producer(settings: Settings, source: str) -> None:
    topic = topic_for("content.submitted", source)
    producer = AcknowledgedProducer(settings, timeout_ms=30_000)
    producer.send_all([Outgoing(topic, topic, key, b"{}") for key in expected(source)], timeout=30)
    producer.close()


def from_faust(settings: MonitorSettings, source: str) -> None:
    async def produce() -> None:
        app = build_app(settings)
        await app.producer.start()
        topic = raw_topic(app, topic_for("content.submitted", source))
        for key in expected(source):
            await (await topic.send(key=key, value=b"{}"))
        await app.producer.stop()

    asyncio.run(produce())


def documented_kcat() -> list[str]:
    """The README's kcat call, in words; until it has one, the call that it is to have."""
    text = README.read_text("utf-8").replace("\\\n", " ") if README.exists() else ""
    lines = [line.strip() for line in text.splitlines() if line.strip().startswith("kcat -P")]
    assert lines or "kcat" not in text, "README names kcat, but has no line that begins with `kcat -P`"
    return shlex.split(lines[0] if lines else UNTIL_DOCUMENTED)


def properties(call: list[str]) -> list[str]:
    """The librdkafka properties of a kcat call, as in partitioner=murmur2_random."""
    return [value for flag, value in pairwise(call) if flag == "-X"]


def from_kcat(settings: Settings, source: str) -> None:
    """As documented, on our broker and topic; librdkafka with the same properties where there is no kcat."""
    topic, given = topic_for("content.submitted", source), properties(documented_kcat())
    if kcat := shutil.which("kcat"):
        call = [kcat, "-P", "-b", settings.kafka, "-t", topic, "-K", "\t"]
        lines = b"".join(key + b"\t{}\n" for key in expected(source))
        done = subprocess.run(
            [*call, *(word for each in given for word in ("-X", each))],
            input=lines,
            capture_output=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return
    producer = Producer({"bootstrap.servers": settings.kafka} | dict(each.split("=", 1) for each in given))
    for key in expected(source):
        producer.produce(topic, b"{}", key)
    assert producer.flush(30) == 0


@pytest.mark.parametrize("produce", [from_our_producer, from_faust, from_kcat])
def test_a_key_has_one_partition_whoever_writes(
    produce: Callable[[MonitorSettings, str], None], settings: MonitorSettings, source: str
) -> None:
    produce(settings, source)
    assert where(settings, source) == expected(source)


def test_all_together_agree(settings: MonitorSettings, source: str) -> None:
    for produce in (from_our_producer, from_faust, from_kcat):
        produce(settings, source)
    assert where(settings, source) == expected(source)


def test_librdkafka_left_alone_would_not(settings: MonitorSettings, source: str) -> None:
    """Why the documented call must set the partitioner."""
    producer = Producer({"bootstrap.servers": settings.kafka})
    for key in expected(source):
        producer.produce(topic_for("content.submitted", source), b"{}", key)
    assert producer.flush(30) == 0
    assert where(settings, source) != expected(source)


@pytest.fixture
def ingest(settings: MonitorSettings, source: str, redis_url: str, tmp_path: Path) -> Iterator[httpx.Client]:
    """A client of a real ingest process, with a key of the source."""
    database = f"sqlite:///{tmp_path}/sluicegate.db"
    store = KeyStore(database)
    _, secret = store.create("partitioning", "source", source, 1_000_000)
    store.close()
    (port,) = free_ports(1)
    environment = os.environ | {
        "SLUICEGATE_KAFKA": settings.kafka,
        "SLUICEGATE_REDIS_URL": redis_url,
        "SLUICEGATE_DATABASE_URL": database,
        "SLUICEGATE_INGEST_PORT": str(port),
        "SLUICEGATE_VAR": str(tmp_path),
    }
    with (tmp_path / "ingest.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "services.ingest"], env=environment, stdout=log, stderr=log
        )
    transport = httpx.HTTPTransport(retries=8)  # it backs off, about a minute in all, until ingest listens
    headers = {"Authorization": f"Bearer {secret}"}
    try:
        with httpx.Client(
            base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=30, transport=transport
        ) as client:
            yield client
    finally:
        process.terminate()
        process.wait(20)


def test_http_ingest_agrees(ingest: httpx.Client, settings: MonitorSettings, source: str) -> None:
    body = b"\n".join(
        msgspec.json.encode({"item_id": item, "revision": 1, "item": {"kind": "post", "text": "hello"}})
        for item in ITEMS
    )
    answer = ingest.post("/v1/items:batch", content=body, headers={"Content-Type": "application/x-ndjson"})
    assert answer.status_code in (200, 202, 207), answer.text
    assert where(settings, source) == expected(source), answer.text[:1000]
