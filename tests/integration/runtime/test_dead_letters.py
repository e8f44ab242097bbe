"""Bad input never stops a stream: it is set aside as it came, with the reason, and the rest goes on."""

from confluent_kafka import Producer

from services.runtime.kafka import PRODUCER
from services.runtime.records import Record
from tests.integration.runtime.conftest import Bench, CountingStage, wait_for


def test_a_rejected_record_goes_to_dead_letter_with_its_reason(bench: Bench) -> None:
    bench.producer.produce(bench.inputs[0], b"reject", b"k", headers=[("traceparent", b"00-1")])
    bench.send(b"fine")
    bench.start()
    assert bench.wait_outputs(1) == [b"1:fine"]
    (letter,) = bench.dead_letters()
    assert letter["value"] == "b'reject'"
    assert (letter["error"], letter["reason"]) == ("refused", "it says so itself")
    assert letter["topic"] == bench.inputs[0] and letter["offset"] == "0"
    assert letter["original-traceparent"] == "00-1"


def test_a_record_that_makes_the_stage_raise_is_set_aside_alone(bench: Bench) -> None:
    """Its neighbours in the batch are handled once, and what it had staged or put out before it raised is gone."""
    bench.send(b"a", b"raise", b"b")
    bench.start()
    assert bench.wait_outputs(2) == [b"1:a", b"2:b"]
    (letter,) = bench.dead_letters()
    assert letter["error"] == "unhandled" and letter["reason"] == "RuntimeError: it says so itself"


def test_an_output_that_is_too_large_sets_its_record_aside(bench: Bench) -> None:
    big = b"x" * (1024 * 1024 - 500)
    bench.producer.produce(bench.inputs[0], big, b"k" * 499)  # with "1:" in front it is over 1 MiB
    bench.send(b"a")
    bench.start()
    assert bench.wait_outputs(1) == [b"1:a"]
    wait_for("the dead letter", lambda: len(bench.dead_letters()) == 1)
    assert "over" in bench.dead_letters()[0]["reason"]


def test_a_record_that_was_small_only_while_compressed_is_set_aside(bench: Bench) -> None:
    """Kafka measures records compressed: what a platform sends may be larger than any limit of ours."""
    platform = Producer(
        PRODUCER | {"bootstrap.servers": bench.kafka.bootstrap, "message.max.bytes": 20_000_000}
    )
    platform.produce(bench.inputs[0], b"x" * 3_000_000, b"k" * 3_000_000, 0)
    assert platform.flush(10) == 0
    bench.send(b"a", key=b"a")
    bench.start()
    assert b"1:a" in bench.wait_outputs(1)
    wait_for("the dead letter", lambda: len(bench.dead_letters()) == 1)
    assert "over" in bench.dead_letters()[0]["reason"]


def test_a_broadcast_record_that_makes_the_stage_raise_is_set_aside(bench: Bench) -> None:
    class Choosy(CountingStage):
        def broadcast(self, record: Record) -> None:
            if record.value == b"bad":
                raise RuntimeError("not this one")
            super().broadcast(record)

    bench.send(b"bad", b"good", topic=bench.signal)
    bench.send(b"a")
    stage = Choosy(bench.out)
    bench.start(stage=stage)
    assert bench.wait_outputs(1) == [b"1:a"]
    assert stage.heard == [b"good"]
    wait_for("the dead letter", lambda: len(bench.dead_letters()) == 1)
    assert bench.dead_letters()[0]["topic"] == bench.signal
