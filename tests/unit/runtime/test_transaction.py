"""What a failing call of the transactional producer means."""

from collections.abc import Callable
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from services.runtime.errors import Fenced, RuntimeFault, Unfinished
from services.runtime.records import Outgoing
from services.runtime.transaction import MustAbort, Transaction


def failure(code: int, **flags: bool) -> KafkaException:
    return KafkaException(KafkaError(code, "it says so", **flags))


class Scripted:
    """A producer whose calls fail as told, once each."""

    def __init__(self, **failures: list[Exception]) -> None:
        self._failures = failures
        self.calls: list[str] = []

    def __getattr__(self, name: str) -> Callable[..., None]:
        def call(*_: Any, **__: Any) -> None:
            self.calls.append(name)
            if self._failures.get(name):
                raise self._failures[name].pop(0)

        return call


def transaction(producer: Scripted, stopping: bool = False) -> tuple[Transaction, list[str]]:
    reasons: list[str] = []
    made: Any = producer
    return Transaction(made, lambda: stopping, reasons.append), reasons


def test_a_commit_that_times_out_is_called_again_and_the_worker_is_not_ready() -> None:
    producer = Scripted(commit_transaction=[failure(KafkaError._TIMED_OUT, retriable=True)] * 1)
    trans, reasons = transaction(producer)
    trans.commit({}, None)
    assert producer.calls == ["commit_transaction", "commit_transaction"]
    assert reasons and "does not answer" in reasons[0]


def test_a_worker_told_to_stop_does_not_wait_for_a_broker_that_is_away() -> None:
    trans, _ = transaction(Scripted(commit_transaction=[failure(KafkaError._TIMED_OUT)]), stopping=True)
    with pytest.raises(Unfinished, match="told to stop"):
        trans.commit({}, None)


@pytest.mark.parametrize(
    ("flags", "raised"),
    [({"txn_requires_abort": True}, MustAbort), ({"fatal": True}, Fenced), ({}, Unfinished)],
)
def test_an_error_of_a_commit_aborts_or_ends_the_worker_with_a_reason(
    flags: dict[str, bool], raised: type[Exception]
) -> None:
    trans, _ = transaction(Scripted(commit_transaction=[failure(KafkaError._STATE, **flags)]))
    with pytest.raises(raised, match="it says so"):
        trans.commit({}, None)


def test_an_abort_that_fails_ends_the_worker_with_a_reason() -> None:
    error = failure(KafkaError._STATE, txn_requires_abort=True)
    trans, _ = transaction(Scripted(abort_transaction=[error]))
    with pytest.raises(RuntimeFault, match="could not be aborted"):
        trans.abort()


def test_a_full_queue_is_sent_before_more_is_put_into_it() -> None:
    producer = Scripted(produce=[BufferError("full"), BufferError("full")])
    transaction(producer)[0].produce("t", b"k", b"v", ())
    assert producer.calls == ["produce", "poll", "produce", "poll", "produce"]


def test_records_are_queued_in_their_order_and_a_full_queue_stops_none() -> None:
    queued: list[tuple[Any, ...]] = []

    class Queue(Scripted):
        def produce(self, *given: Any, headers: Any = None) -> None:
            if self._failures.get("produce"):
                raise self._failures["produce"].pop(0)
            queued.append((*given[:3], headers or None))

    producer = Queue(produce=[BufferError("full"), BufferError("still full")])
    header = ("ce_id", b"1")
    transaction(producer)[0].produce_all(
        [Outgoing("t", "t", b"a", b"1", (header,)), Outgoing("t", "t", b"b", None)]
    )
    assert queued == [("t", b"1", b"a", [header]), ("t", None, b"b", None)]
    assert producer.calls == ["poll"]


def test_a_record_that_is_refused_aborts() -> None:
    with pytest.raises(MustAbort, match="it says so"):
        transaction(Scripted(produce=[failure(KafkaError.MSG_SIZE_TOO_LARGE)] * 2))[0].produce_all(
            [Outgoing("t", "t", b"a", b"1")]
        )
