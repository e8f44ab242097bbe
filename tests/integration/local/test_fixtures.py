"""The shared broker and Redis do what the other tests build on."""

import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import redis
from confluent_kafka import Consumer, KafkaException, Producer
from confluent_kafka.admin import AdminClient

from infra.local.kafka import Kafka
from infra.local.processes import ZEROED_MEMORY
from infra.local.redis import Redis
from loadtests.waiting import until
from services.runtime.positions import stable_ends, uncommitted_ends


def test_a_record_outlives_a_kill_of_the_broker(kafka: Kafka, make_topic: Callable[..., str]) -> None:
    topic = make_topic("outlives")
    producer = Producer({"bootstrap.servers": kafka.bootstrap, "acks": "all", "enable.idempotence": True})
    producer.produce(topic, b"kept")
    assert producer.flush(30) == 0
    kafka.kill()
    kafka.start()
    consumer = Consumer(
        {"bootstrap.servers": kafka.bootstrap, "group.id": topic, "auto.offset.reset": "earliest"}
    )
    consumer.subscribe([topic])
    try:
        message = consumer.poll(30)
        assert message is not None and message.error() is None and message.value() == b"kept"
    finally:
        consumer.close()


def test_a_transaction_ends_though_the_broker_is_killed_while_it_commits(
    kafka: Kafka, make_topic: Callable[..., str]
) -> None:
    """Kafka 4.3 leaves some open for ever in one of about five runs, and readers of committed records before them
    (decision 82).
    """
    numbers, names = range(16), [f"committing-{number}" for number in range(16)]
    topic = make_topic("committing", partitions=len(numbers))
    committed = dict.fromkeys(names, 0)

    def commit(name: str) -> None:
        config = {"bootstrap.servers": kafka.bootstrap, "transactional.id": name, "retry.backoff.ms": 5}
        producer = Producer(config | {"transaction.timeout.ms": 5000, "log_level": 0})
        try:
            producer.init_transactions(60)
            while True:
                producer.begin_transaction()
                for number in numbers:
                    producer.produce(topic, name.encode(), partition=number)
                producer.commit_transaction(2)
                committed[name] += 1
        except KafkaException:
            producer.purge()  # the broker is gone

    threads = [threading.Thread(target=commit, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    until("every producer to commit", lambda: all(count > 3 for count in committed.values()), 120)
    kafka.kill()
    for thread in threads:
        thread.join()
    kafka.start()
    kafka.wait_for_transactions()
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    partitions = [(topic, number) for number in numbers]

    def open_for_readers() -> set[tuple[str, int]]:
        ends = uncommitted_ends(admin, partitions)
        stable = stable_ends(admin, partitions)
        return {partition for partition in partitions if stable[partition] < ends[partition]}

    until("every transaction to end", lambda: not open_for_readers(), 90, lambda: sorted(open_for_readers()))


def test_clients_outlive_a_broker_that_comes_back_with_leaders_for_some_partitions_only(
    kafka: Kafka, make_topic: Callable[..., str], tmp_path: Path
) -> None:
    """librdkafka takes memory that it never wrote for what it was told (its issue 5280): numbers of partitions and
    leaders that do not exist, or the end of the process. What every service is started with makes it zeros.
    """
    partitions, topics = 8, [make_topic("coming-back", partitions=8) for _ in range(14)]
    log = tmp_path / "clients.log"
    command = [sys.executable, "-m", "tests.integration.local.many_clients"]
    with log.open("w") as errors:
        clients = subprocess.Popen(
            [*command, kafka.bootstrap, ",".join(topics), str(partitions)],
            env=os.environ | ZEROED_MEMORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        assert clients.stdout is not None
        try:
            assert clients.stdout.readline() == "reading\n"
            for _ in range(3):
                kafka.kill()
                kafka.start()
                kafka.wait_for_transactions()
                if clients.poll() is not None or "not found in cache" in log.read_text():
                    break  # a client was told so, as in most restarts
            clients.communicate("over\n", timeout=60)
        finally:
            clients.kill()
    assert clients.returncode == 0
    leaders = re.findall(r"new leader(-?\d+) not found in cache", log.read_text())
    assert set(leaders) <= {"0", "-1"}, "a leader that nobody named"
    assert not re.findall(r"\[-?\d+\]: not found in cache", log.read_text()), "a partition that nobody named"


def test_redis_serves_scripts_and_forgets_what_was_in_it_when_restarted(redis_server: Redis) -> None:
    with redis.Redis.from_url(redis_server.url) as client:
        assert (
            client.eval("redis.call('set', KEYS[1], ARGV[1]); return redis.call('get', KEYS[1])", 1, "k", "v")
            == b"v"
        )
    redis_server.restart()
    with redis.Redis.from_url(redis_server.url) as client:
        assert client.get("k") is None
