"""The same key goes to the same partition from every client: ours, librdkafka's, and aiokafka's, which Faust has."""

import pytest
from aiokafka.partitioner import DefaultPartitioner  # type: ignore[import-untyped]
from confluent_kafka import Message, Producer
from hypothesis import given
from hypothesis import strategies as st

from services.events.ids import item_key
from services.events.partition import murmur2, partition_for

KEYS = [
    *[item_key("demo", f"post-{number}").encode() for number in range(300)],
    *[
        key.encode()
        for key in ("demo/größe", "demo/写真-1", "demo/🌞", "platform-2/Ж", "demo/a\u0301", "x" * 241)
    ],
    *[bytes([byte]) for byte in range(256)],
]


@pytest.mark.parametrize(
    ("key", "signed"),
    [
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        (b"abc", 479470107),
    ],
)
def test_the_hash_is_that_of_the_java_client(key: bytes, signed: int) -> None:
    """Values from the tests of Kafka's own client (UtilsTest.testMurmur2), there as signed integers."""
    assert murmur2(key) == signed % 2**32


def test_librdkafka_with_murmur2_random_agrees() -> None:
    """librdkafka itself chooses the partitions, on the broker that it brings along for tests."""
    chosen: dict[bytes, int] = {}

    def delivered(error: object, message: Message) -> None:
        key, partition = message.key(), message.partition()
        assert error is None
        assert isinstance(key, bytes)
        assert partition is not None
        chosen[key] = partition

    producer = Producer(
        {"test.mock.num.brokers": 1, "bootstrap.servers": "", "partitioner": "murmur2_random"}
    )
    for key in KEYS:
        producer.produce("content.submitted.demo", value=b"{}", key=key, on_delivery=delivered)
    assert producer.flush(30) == 0
    topics = producer.list_topics("content.submitted.demo", timeout=10).topics
    partitions = len(topics["content.submitted.demo"].partitions)

    assert partitions > 1
    assert chosen == {key: partition_for(key, partitions) for key in KEYS}


@pytest.mark.parametrize("partitions", [1, 2, 3, 4, 7, 12, 64])
def test_aiokafka_agrees(partitions: int) -> None:
    everywhere = list(range(partitions))
    theirs = DefaultPartitioner()
    assert [theirs(key, everywhere, everywhere) for key in KEYS] == [
        partition_for(key, partitions) for key in KEYS
    ]


@given(st.binary(max_size=300), st.integers(1, 200))
def test_aiokafka_agrees_on_any_bytes(key: bytes, partitions: int) -> None:
    everywhere = list(range(partitions))
    assert DefaultPartitioner()(key, everywhere, everywhere) == partition_for(key, partitions)


def test_items_spread_over_the_partitions() -> None:
    counts = [0] * 4
    for number in range(4000):
        counts[partition_for(item_key("demo", str(number)).encode(), 4)] += 1
    assert min(counts) > 900
