"""What lies in dead.letter, and bringing it back: each letter once, in one transaction with the mark that says so."""

from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass

from services.runtime.deadletter import LIMIT, TOPIC
from services.runtime.kafka import transactional_producer
from services.runtime.reading import whole_topics
from services.runtime.records import Headers, Record
from services.runtime.settings import LoopSettings, Settings

MARK = "replayed"  # header of a record in dead.letter that marks another: which one, as partition:offset
SERVICE = "dead-letters"  # the transactional id: of two replays at once the older one is fenced


@dataclass(frozen=True)
class Letter:
    """A record that was set aside. Times are in ms since 1970."""

    letter_id: str  # partition:offset in dead.letter
    service: str
    error: str
    reason: str
    topic: str
    partition: int
    failed_at: int
    key: bytes
    value: bytes | None
    headers: Headers  # as the record had them
    replayed: bool  # marked as brought back

    @property
    def cut(self) -> bool:
        """Whether its value was too long to be kept whole: then it cannot be brought back."""
        return self.value is not None and len(self.value) >= LIMIT


class CannotReplay(Exception):
    """A letter that cannot be brought back, and why."""


def letters_in(records: Iterable[Record]) -> list[Letter]:
    """The letters among the records of dead.letter, in order, with their marks. Pure."""
    letters: list[tuple[str, Record]] = []
    marked: set[str] = set()
    for record in records:
        headers = dict(record.headers)
        if MARK in headers:
            marked.add(headers[MARK].decode("ascii", "replace"))
        else:
            letters.append((f"{record.partition}:{record.offset}", record))
    return [_letter(letter_id, record, letter_id in marked) for letter_id, record in letters]


def read_letters(settings: Settings) -> list[Letter]:
    """All that dead.letter keeps now. MissingTopic, Stalled, or KafkaException where no broker answers."""
    with closing(whole_topics(settings, "dead-letters", [TOPIC])) as reader:
        return letters_in(reader.to_end())


def replay(settings: Settings, wanted: Iterable[str], now: int) -> list[Letter]:
    """Brings letters back to the partitions that they came from, and marks them; returns those it brought back.

    One that is marked already is left out. All of them or none. CannotReplay, KafkaException.
    """
    producer = transactional_producer(LoopSettings(kafka=settings.kafka), SERVICE)
    producer.init_transactions(
        30
    )  # from here on an older replay can commit nothing: what is read is all there is
    ids = set(wanted)
    letters = [each for each in read_letters(settings) if each.letter_id in ids and not each.replayed]
    for each in letters:
        if not each.topic:
            raise CannotReplay(f"{each.letter_id} does not say which topic it came from")
        if each.cut:
            raise CannotReplay(
                f"{each.letter_id} was too long to be kept whole: its platform must send it again"
            )
    if not letters:
        return []
    producer.begin_transaction()
    for each in letters:
        headers: list[tuple[str, str | bytes | None]] = [*each.headers]
        producer.produce(each.topic, each.value, each.key or None, partition=each.partition, headers=headers)
        mark: list[tuple[str, str | bytes | None]] = [
            (MARK, each.letter_id.encode()),
            ("replayed_at", str(now).encode()),
        ]
        producer.produce(TOPIC, b"", each.key or None, headers=mark)
    producer.commit_transaction(30)
    return letters


def _letter(letter_id: str, record: Record, replayed: bool) -> Letter:
    headers = {name: value.decode("utf-8", "replace") for name, value in record.headers}
    return Letter(
        letter_id=letter_id,
        service=headers.get("service", ""),
        error=headers.get("error", ""),
        reason=headers.get("reason", ""),
        topic=headers.get("topic", ""),
        partition=_number(headers.get("partition")),
        failed_at=_number(headers.get("failed_at")) or record.timestamp,
        key=record.key,
        value=None if headers.get("was_null") == "1" else record.value or b"",
        headers=tuple(
            (name.removeprefix("original-"), value)
            for name, value in record.headers
            if name.startswith("original-") and name != "original-headers"
        ),
        replayed=replayed,
    )


def _number(text: str | None) -> int:
    return int(text) if text is not None and text.isdecimal() else 0
