"""Events in, quality.measured out: the figures, what is left out, and what happens when the worker or Kafka dies."""

from __future__ import annotations

import time
from collections.abc import Iterator

import psutil
import pytest
from confluent_kafka import Producer

from infra.local.kafka import Kafka
from services.events.instants import from_millis
from services.events.types import QualityMeasured
from services.runtime.clock import now_ms
from services.runtime.kafka import PRODUCER
from tests.integration.monitor.making import label, settled, summary, verdict
from tests.integration.monitor.running import Topics, Worker, eventually

STEP = 2000  # ms, as the worker is told
SPLIT = ("remove", "allow")
AGREED = ("remove", "remove")


@pytest.fixture(scope="module")
def worker(broker: Kafka, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    monitor = Worker(broker, tmp_path_factory.mktemp("monitor"), "http://127.0.0.1:1")
    try:
        monitor.start()
        yield monitor
    finally:
        monitor.kill()


def ahead(seconds: float) -> int:
    """The start of a window so many seconds from now, so that all is counted before it is over. ms."""
    return (now_ms() + int(seconds * 1000)) // STEP * STEP


def measured(
    topics: Topics, start: int, length: int
) -> dict[tuple[str, str | None, str | None], QualityMeasured]:
    """What was published of the windows from `start` on that are `length` long."""
    found = [
        event
        for event in topics.read("quality.measured", QualityMeasured)
        if (event.window_start, event.window_end) == (from_millis(start), from_millis(start + length))
    ]
    ids = {event.event_id for event in found}
    assert len({(event.measure, event.category, event.model_version, event.queue) for event in found}) == len(
        ids
    )
    return {(event.measure, event.category, event.queue or event.model_version): event for event in found}


def figures(
    topics: Topics, start: int, length: int
) -> dict[tuple[str, str | None, str | None], tuple[float, int]]:
    """The same as value and count."""
    return {key: (event.value, event.count) for key, event in measured(topics, start, length).items()}


def test_the_figures_are_those_of_the_events(topics: Topics, worker: Worker) -> None:
    at = ahead(10)
    topics.write(*(settled(f"a{n}", at + n, actions=AGREED) for n in range(6)))
    topics.write(*(settled(f"b{n}", at + n, actions=SPLIT) for n in range(2)))
    topics.write(*(settled(f"c{n}", at + n, spam=0.2) for n in range(4)))  # one vote; the model said no
    topics.write(*(verdict(f"a{n}", at + n) for n in range(9)), verdict("a1", at, retraction=True))
    topics.write(*(label(f"a{n}", at + n) for n in range(5)))
    topics.write(summary("classifier", at, 700, "m1"), summary("classifier", at, 300, "m1"))
    topics.write(summary("router", at, 990), summary("router", at - STEP, 5))

    eventually(lambda: len(measured(topics, at, 2 * STEP)) == 3, 90, worker.log)
    assert figures(topics, at, 2 * STEP) == {
        ("agreement_between_people", None, "general"): (6 / 8, 8),
        ("model_against_people", "spam", "m1"): (4 / 10, 10),
        ("model_against_people", "hate", "m1"): (0, 10),
    }
    assert figures(topics, at, STEP) == {
        ("verdicts_per_minute", None, "general"): (9 * 30, 9),
        ("labels_per_minute", None, "general"): (5 * 30, 5),
        ("items_per_minute", None, "m1"): (1000 * 30, 1000),
        ("decisions_per_minute", None, None): (990 * 30, 990),
    }


def test_what_a_transaction_took_back_is_not_counted(topics: Topics, worker: Worker, broker: Kafka) -> None:
    at = ahead(10)
    aborting = Producer(PRODUCER | {"bootstrap.servers": broker.bootstrap, "transactional.id": "aborting"})
    aborting.init_transactions(30)
    aborting.begin_transaction()
    for n in range(40):
        out = topics.publisher.outgoing(*settled(f"x{n}", at, actions=SPLIT, spam=0.1))
        aborting.produce(out.topic, out.value, out.key)
    assert aborting.flush(30) == 0  # they are in the log, in every partition
    aborting.abort_transaction(30)
    topics.write(*(settled(f"y{n}", at, actions=AGREED) for n in range(8)))

    eventually(lambda: len(measured(topics, at, 2 * STEP)) == 3, 90, worker.log)
    assert figures(topics, at, 2 * STEP)["agreement_between_people", None, "general"] == (1.0, 8)
    assert figures(topics, at, 2 * STEP)["model_against_people", "spam", "m1"] == (0.0, 8)


def test_bytes_that_are_no_event_and_tombstones_are_skipped(
    topics: Topics, worker: Worker, broker: Kafka
) -> None:
    at = ahead(10)
    before = worker.metric(
        'sluicegate_monitor_skipped_events_total{reason="undecodable",topic="review.settled"}'
    )
    producer = Producer(PRODUCER | {"bootstrap.servers": broker.bootstrap})
    for n, value in enumerate([b"\xff\xfe", b"", b"{}", b'{"schema":"review_settled.v9"}']):
        producer.produce("review.settled", value, f"demo/bad{n}".encode())
    producer.produce("label.recorded", None, b"demo/withdrawn")
    assert producer.flush(30) == 0
    late = settled("late", now_ms() - 3_600_000)
    topics.write(late, *(label(f"z{n}", at) for n in range(3)))

    eventually(lambda: bool(measured(topics, at, STEP)), 90, worker.log)
    assert figures(topics, at, STEP) == {("labels_per_minute", None, "general"): (90, 3)}
    after = worker.metric(
        'sluicegate_monitor_skipped_events_total{reason="undecodable",topic="review.settled"}'
    )
    assert after - before == 4
    assert worker.metric('sluicegate_monitor_skipped_events_total{reason="late",topic="review.settled"}') == 1


def test_it_listens_on_loopback_only(worker: Worker) -> None:
    processes = [psutil.Process(worker.process.pid)]
    processes += processes[0].children(recursive=True)
    listening = [
        connection.laddr
        for process in processes
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert [(address.ip, address.port) for address in listening] == [("127.0.0.1", worker.port)]


def test_killed_it_comes_back_and_goes_on(topics: Topics, worker: Worker) -> None:
    at = ahead(36)
    events = 'sluicegate_monitor_events_total{topic="review.settled"}'
    before = worker.metric(events)
    topics.write(*(settled(f"k{n}", at, actions=AGREED) for n in range(20)))
    eventually(lambda: worker.metric(events) == before + 20, 90, worker.log)
    worker.kill()
    topics.write(*(settled(f"l{n}", at, actions=SPLIT) for n in range(20)))
    began = time.monotonic()
    worker.start()
    assert time.monotonic() - began < 50, "as long as with Faust's own session timeout"
    topics.write(*(settled(f"m{n}", at, actions=SPLIT) for n in range(10)))

    eventually(lambda: len(measured(topics, at, 2 * STEP)) == 3, 90, worker.log)
    assert figures(topics, at, 2 * STEP)["agreement_between_people", None, "general"] == (0.4, 50)


def test_a_broker_that_dies_is_waited_for(topics: Topics, worker: Worker, broker: Kafka) -> None:
    broker.kill()
    broker.start()
    at = ahead(30)
    topics.write(*(settled(f"n{n}", at, actions=AGREED) for n in range(5)))

    eventually(lambda: len(measured(topics, at, 2 * STEP)) == 3, 90, worker.log)
    assert figures(topics, at, 2 * STEP)["agreement_between_people", None, "general"] == (1.0, 5)


def test_asked_to_stop_it_stops_within_seconds(worker: Worker) -> None:
    began = time.monotonic()
    assert worker.stop() == 0
    assert time.monotonic() - began < 18


def test_started_again_it_publishes_the_same_ids(topics: Topics, worker: Worker) -> None:
    before = {event.event_id for event in topics.read("quality.measured", QualityMeasured)}
    count = len(topics.read("quality.measured", QualityMeasured))
    worker.start()
    eventually(lambda: len(topics.read("quality.measured", QualityMeasured)) > count, 90, worker.log)
    assert {event.event_id for event in topics.read("quality.measured", QualityMeasured)} == before
