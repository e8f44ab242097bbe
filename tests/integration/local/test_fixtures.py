"""The shared broker and Redis do what the other tests build on."""

from collections.abc import Callable

import redis
from confluent_kafka import Consumer, Producer

from infra.local.kafka import Kafka
from infra.local.redis import Redis


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


def test_redis_serves_scripts_and_forgets_what_was_in_it_when_restarted(redis_server: Redis) -> None:
    with redis.Redis.from_url(redis_server.url) as client:
        assert (
            client.eval("redis.call('set', KEYS[1], ARGV[1]); return redis.call('get', KEYS[1])", 1, "k", "v")
            == b"v"
        )
    redis_server.restart()
    with redis.Redis.from_url(redis_server.url) as client:
        assert client.get("k") is None
