"""The local stack, with the real Kafka, Redis and supervisor, and small services in the place of ours."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from infra.local.bootstrap import TOPICS
from infra.local.errors import NotReady, PortTaken, WrongSetting
from infra.local.processes import Process
from infra.local.settings import on_free_ports
from infra.local.stack import Stack

TINY = "tests.integration.local.tiny"
SERVICES = (
    Process("router", (TINY,), "metrics_port", "router_metrics_port"),
    Process("classifier", (TINY,), "metrics_port", "classifier_metrics_port"),
)
Make = Callable[..., Stack]


@pytest.fixture
def make_stack(tmp_path: Path) -> Iterator[Make]:
    """Stacks on free ports; all are down at the end."""
    made = []

    def make(
        var: Path = tmp_path / "var", processes: tuple[Process, ...] = SERVICES, ready_seconds: int = 120
    ) -> Stack:
        settings = on_free_ports(var, ready_seconds=ready_seconds)
        made.append(Stack(settings, processes, (TOPICS,)))
        return made[-1]

    yield make
    for stack in made:
        stack.down()


def test_up_survives_the_death_of_every_process_and_down_leaves_nothing(make_stack: Make) -> None:
    stack = make_stack()
    assert stack.up() is True
    assert [
        (each.name, each.state)
        for each in stack.status()
        if each.readiness.ready and each.name in ("kafka", "redis")
    ]
    assert all(each.readiness.ready for each in stack.status())
    produce(stack, b"before")

    pids = {each.name: each.pid for each in stack.status()}
    assert stack.up() is False, "it was up already"
    assert pids == {each.name: each.pid for each in stack.status()}

    for name, pid in pids.items():
        assert stack.kill(name) == pid
    wait_until(
        lambda: all(each.readiness.ready and each.pid != pids[each.name] for each in stack.status()), 60
    )
    produce(stack, b"after")
    assert read(stack) == [b"before", b"after"]

    everything = {**pids, **{each.name: each.pid for each in stack.status()}}
    supervisord = stack.supervisor.pids.alive()["supervisord"]
    assert set(stack.down()) == set(pids)
    assert not any(psutil.pid_exists(pid) for pid in everything.values())
    assert not supervisord.is_running()
    assert stack.down() == []


def test_up_after_a_crash_has_its_data_and_ends_what_the_crash_left(make_stack: Make) -> None:
    stack = make_stack()
    stack.up()
    produce(stack, b"kept")

    alive = stack.supervisor.pids.alive()
    alive.pop("supervisord").kill()  # first: it would start the others again
    for process in alive.values():
        process.kill()
    wait_until(lambda: not stack.supervisor.pids.alive(), 90)
    assert stack.up() is True
    assert read(stack) == [b"kept"]

    orphans = stack.supervisor.pids.alive()
    orphans.pop("supervisord").kill()
    wait_until(lambda: not stack.supervisor.alive(), 90)
    assert stack.up() is True
    assert not any(orphan.is_running() for orphan in orphans.values())
    assert read(stack) == [b"kept"]


def test_a_taken_port_is_named_with_its_setting_and_nothing_is_started(make_stack: Make) -> None:
    stack = make_stack()
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", stack.settings.router_metrics_port))
        squatter.listen()
        with pytest.raises(PortTaken) as refusal:
            stack.up()
    assert f"port {stack.settings.router_metrics_port} for router is taken" in str(refusal.value)
    assert "SLUICEGATE_ROUTER_METRICS_PORT" in str(refusal.value)
    assert stack.supervisor.pids.alive() == {}


def test_two_settings_with_one_port_are_both_named(make_stack: Make) -> None:
    stack = make_stack()
    stack.settings.router_metrics_port = stack.settings.classifier_metrics_port
    with pytest.raises(
        PortTaken, match=r"SLUICEGATE_ROUTER_METRICS_PORT.*SLUICEGATE_CLASSIFIER_METRICS_PORT"
    ):
        stack.up()


def test_who_is_not_ready_says_why_and_who_cannot_start_is_tried_again_with_growing_pauses(
    make_stack: Make,
) -> None:
    lacking = Process("router", (TINY, "no policy is live"), "metrics_port", "router_metrics_port")
    broken = Process("monitor", ("no.such.module",), "metrics_port", "monitor_metrics_port")
    stack = make_stack(processes=(lacking, broken, SERVICES[1]), ready_seconds=15)
    with pytest.raises(
        NotReady, match=r"router: no policy is live \(supervisor says (STARTING|RUNNING)"
    ) as refusal:
        stack.up()
    assert re.search(r"monitor: does not answer yet \(supervisor says (BACKOFF|STARTING)", str(refusal.value))
    assert "classifier" not in str(refusal.value)
    assert {each.name: each.readiness.reason for each in stack.status()}["router"] == "no policy is live"
    assert 2 <= (stack.supervisor.logs / "monitor.log").read_text().count("No module named") <= 8


def test_a_data_folder_with_a_long_path(make_stack: Make, tmp_path: Path) -> None:
    lacking = Process("monitor", (TINY, "no model"), "metrics_port", "monitor_metrics_port", awaited=False)
    stack = make_stack(var=tmp_path / ("a long name " * 10) / "var", processes=(*SERVICES, lacking))
    stack.up()
    assert [each.name for each in stack.status() if not each.readiness.ready] == ["monitor"], (
        "up does not wait for what is not awaited"
    )


def test_a_data_folder_that_supervisord_cannot_take(make_stack: Make, tmp_path: Path) -> None:
    with pytest.raises(WrongSetting, match="without %"):
        make_stack(var=tmp_path / "100%").up()


def produce(stack: Stack, value: bytes) -> None:
    producer = Producer(
        {"bootstrap.servers": stack.kafka.bootstrap, "acks": "all", "enable.idempotence": True}
    )
    producer.produce("dead.letter", value)
    assert producer.flush(30) == 0


def read(stack: Stack) -> list[bytes | None]:
    consumer = Consumer({"bootstrap.servers": stack.kafka.bootstrap, "group.id": "test"})
    partition = TopicPartition("dead.letter", 0, 0)
    try:
        _, end = consumer.get_watermark_offsets(partition, timeout=30)
        consumer.assign([partition])
        return [message.value() for message in consumer.consume(end, timeout=30)]
    finally:
        consumer.close()


def wait_until(condition: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.05)
