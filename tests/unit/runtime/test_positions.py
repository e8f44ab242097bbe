"""Ends of logs: a leader that is elected is waited for, one that the client will not learn of ends its use."""

from __future__ import annotations

from concurrent.futures import Future
from types import SimpleNamespace

import pytest
from confluent_kafka import KafkaError, KafkaException, TopicPartition
from hypothesis import given
from hypothesis import strategies as st

from services.runtime import positions
from services.runtime.errors import Stalled
from services.runtime.positions import Partition, after, uncommitted_ends
from services.runtime.records import Record

HERE: Partition = ("content.classified", 3)


class Broker:
    """Answers every question for ends with the next of `answers`; the last one for good."""

    def __init__(self, *answers: int) -> None:
        """`answers`: offsets, or codes of errors (below 1,000)."""
        self.answers = list(answers)

    def list_offsets(self, asked: dict[TopicPartition, object], **_: object) -> dict[TopicPartition, object]:
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        future: Future[SimpleNamespace] = Future()
        if answer >= 1000:
            future.set_result(SimpleNamespace(offset=answer))
        else:
            future.set_exception(KafkaException(KafkaError(answer)))
        return dict.fromkeys(asked, future)


def ends(broker: Broker, leaders: float) -> dict[Partition, int]:
    return uncommitted_ends(broker, [HERE], leaders=leaders)  # type: ignore[arg-type]


def test_an_election_is_waited_for() -> None:
    broker = Broker(KafkaError.LEADER_NOT_AVAILABLE, KafkaError.FENCED_LEADER_EPOCH, 1005)
    assert ends(broker, leaders=60) == {HERE: 1005}


@pytest.mark.parametrize("code", [KafkaError.FENCED_LEADER_EPOCH, KafkaError.UNKNOWN_LEADER_EPOCH])
def test_a_client_whose_leaders_stay_out_of_date_is_stalled(code: int) -> None:
    with pytest.raises(Stalled, match="leaders stay out of date"):
        ends(Broker(code), leaders=0)


def test_it_is_soon_said_to_be_though_leaders_are_waited_for_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(positions, "OUTDATED_SECONDS", 0)
    with pytest.raises(Stalled):
        ends(Broker(KafkaError.FENCED_LEADER_EPOCH), leaders=3600)


@pytest.mark.parametrize("code", [KafkaError.LEADER_NOT_AVAILABLE, KafkaError.TOPIC_AUTHORIZATION_FAILED])
def test_what_the_broker_says_is_said(code: int) -> None:
    with pytest.raises(KafkaException):
        ends(Broker(code), leaders=0)


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 2)), max_size=30))
def test_every_partition_of_a_batch_goes_on_after_its_last_record(came: list[tuple[str, int]]) -> None:
    batch = [Record(topic, topic, part, at, b"", None, 0) for at, (topic, part) in enumerate(came)]
    assert after(batch) == {(record.topic, record.partition): record.offset + 1 for record in batch}
