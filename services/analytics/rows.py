"""What a record is to ClickHouse: a line of a table, and which block it belongs to. Pure."""

from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from operator import attrgetter, itemgetter

import msgspec

from services.events import submission
from services.events.codec import decode, encode
from services.events.errors import EventError
from services.events.ids import derived_id
from services.events.instants import from_millis
from services.events.topics import Topics, suffix_of
from services.events.types import EVENTS
from services.runtime.records import Record

TOMBSTONES, BAD_ROWS, DEAD_LETTER = "tombstones", "bad_rows", "dead_letter"
SUBMITTED = "content_submitted.v1"
MAX_BLOCK_BYTES = 32 * 1024 * 1024  # one insert stays one part, so that it is there or it is not
LATEST_MS = 4_102_444_800_000  # 2100: what a clock says beyond is of no use, and of no table
LETTER_FIELDS = ("service", "error", "reason", "topic", "partition", "offset", "was_null", "replayed")
LETTER_TIMES = ("timestamp", "failed_at")


class _Envelope(msgspec.Struct):
    schema: str


_envelope = msgspec.json.Decoder(_Envelope).decode


@dataclass(frozen=True)
class Bad:
    """Why a record is no row of its topic's table."""

    error: str
    reason: str


@dataclass(frozen=True)
class Range:
    """What a block takes from one partition: `records` of those from `first` to `last`, both included."""

    topic: str
    partition: int
    first: int
    last: int
    records: int


@dataclass(frozen=True)
class Block:
    """What one insert brings into one table, in the order of topic, partition and offset."""

    destination: str
    records: tuple[Record, ...]
    known_token: str = ""  # of a block read again: Kafka may keep fewer of its records by now

    @cached_property
    def ranges(self) -> tuple[Range, ...]:
        """One for each partition."""
        found: dict[tuple[str, int], list[int]] = {}
        for record in self.records:
            found.setdefault((record.topic, record.partition), []).append(record.offset)
        return tuple(Range(t, p, min(o), max(o), len(o)) for (t, p), o in sorted(found.items()))

    @cached_property
    def token(self) -> str:
        """The same for the same records of the same table."""
        return self.known_token or token_of(self.destination, self.ranges)


def token_of(destination: str, ranges: Iterable[Range]) -> str:
    """The token under which ClickHouse knows a block again."""
    parts: list[str | int] = [destination]
    for each in ranges:
        parts += [each.topic, each.partition, each.first, each.last]
    return derived_id(*parts)


def table_of(base: str) -> str:
    """The table of a topic's events."""
    return base.replace(".", "_")


def _source_in(value: bytes, event: str) -> str | None:
    """Who an event from outside says that it is from. Raises UndecodableEvent."""
    if event == SUBMITTED:  # there is one for every item: its own reader takes and refuses the same for half
        return submission.read(value)[0].source
    return getattr(decode(EVENTS[event], value), "source", None)


class Classifier:
    """Where records belong, by topics.yaml."""

    def __init__(self, topics: Topics) -> None:
        self._topics = topics.topics
        self._tables = {base: table_of(base) for base in topics.topics}

    def destination(self, record: Record) -> str:
        """The table of a record."""
        table = self._tables[record.base]
        if self._topics[record.base].event is None:
            return table
        if record.value is None:
            return TOMBSTONES
        return BAD_ROWS if self.fault(record) else table

    def fault(self, record: Record) -> Bad | None:
        """What is wrong with a record that has a value, if anything.

        Who writes from outside is checked to the last field, who is ours only for the envelope: they have checked
        what they wrote. The envelope also holds one value to one row: two JSON objects in it would be two.
        """
        topic = self._topics[record.base]
        value = record.value or b""
        assert topic.event is not None
        try:
            if not value.isascii():
                value.decode()
            schema = _envelope(value).schema
            if schema != topic.event:
                return Bad("wrong_schema", f"schema is {schema!r}, expected {topic.event!r}")
            if "platform" in topic.producers:
                named = _source_in(value, topic.event)
                if topic.per == "source" and named != suffix_of(record.topic):
                    return Bad("forged_source", f"source is {named!r} in {record.topic}")
        except (EventError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            return Bad("undecodable", str(error))
        return None

    def mended(self, record: Record) -> bytes | Bad:
        """The line of a record that ClickHouse refused, written anew: of doubled keys the last stays, as everywhere."""
        event = self._topics[record.base].event
        assert event is not None
        try:
            return event_line(record, encode(decode(EVENTS[event], record.value or b"")))
        except EventError as error:
            return Bad("undecodable", str(error))


def blocks_of(records: Iterable[Record], classifier: Classifier) -> list[Block]:
    """The records as blocks, each of MAX_BLOCK_BYTES at the most where it has more than one record."""
    by_partition: dict[tuple[str, int], list[Record]] = {}
    for record in records:
        by_partition.setdefault((record.topic, record.partition), []).append(record)
    by_table: dict[str, list[Record]] = {}
    for _, members in sorted(by_partition.items(), key=itemgetter(0)):
        members.sort(key=attrgetter("offset"))  # they come so: a look at each
        for record in members:
            by_table.setdefault(classifier.destination(record), []).append(record)
    blocks = []
    for table, members in sorted(by_table.items()):
        start = size = 0
        for at, record in enumerate(members):
            weight = len(record.value or b"") + 200
            if size and size + weight > MAX_BLOCK_BYTES:
                blocks.append(Block(table, tuple(members[start:at])))
                start, size = at, 0
            size += weight
        blocks.append(Block(table, tuple(members[start:])))
    return blocks


def line_of(record: Record, destination: str, classifier: Classifier) -> bytes:
    """The line of JSONEachRow for a record in its table."""
    if destination == TOMBSTONES:
        return plain_line(record, {"key_base64": b64encode(record.key).decode()})
    if destination == DEAD_LETTER:
        return letter_line(record)
    if destination == BAD_ROWS:
        fault = classifier.fault(record)
        assert fault is not None
        return bad_line(record, fault)
    return event_line(record, record.value or b"")


def event_line(record: Record, value: bytes) -> bytes:
    """The value as it came, where it is from put first: ClickHouse refuses a key that comes twice, so nobody forges
    it. `value` is one JSON object with at least one key.
    """
    if not value.startswith(b"{"):
        value = value.lstrip()
    if b"\n" in value or b"\r" in value:
        value = value.replace(b"\n", b" ").replace(b"\r", b" ")
    return b"%b,%b" % (_origin(record), value[1:])


def bad_line(record: Record, bad: Bad) -> bytes:
    """A record that is no event of its topic, byte for byte."""
    value = b64encode(record.value or b"").decode()
    key = b64encode(record.key).decode()
    return plain_line(
        record, {"error": bad.error, "reason": bad.reason[:4000], "key_base64": key, "value_base64": value}
    )


def letter_line(record: Record) -> bytes:
    """A record of dead.letter, byte for byte, its headers in columns."""
    headers = {name: value.decode("utf-8", "replace") for name, value in record.headers}
    row: dict[str, object] = {name: headers[name] for name in LETTER_FIELDS if name in headers}
    for name in ("partition", "offset"):
        row[name] = int(headers.get(name, "")) if headers.get(name, "").isdecimal() else 0
    for name in LETTER_TIMES:
        row[name] = _instant(int(headers[name])).decode() if headers.get(name, "").isdecimal() else None
    row["was_null"] = headers.get("was_null") == "1"
    row["headers"] = headers
    row["key_base64"] = b64encode(record.key).decode()
    row["value_base64"] = b64encode(record.value or b"").decode()
    return plain_line(record, row)


def plain_line(record: Record, row: dict[str, object]) -> bytes:
    """A line that we write ourselves."""
    return _origin(record) + b"," + msgspec.json.encode(row)[1:]


def columns_of(destination: str) -> Sequence[str] | None:
    """The columns to name in an insert: all where the table has none that are only for inserting."""
    where = ["_topic", "_partition", "_offset", "_timestamp"]
    if destination == TOMBSTONES:
        return [*where, "key_base64"]
    if destination == BAD_ROWS:
        return [*where, "error", "reason", "key_base64", "value_base64"]
    if destination == DEAD_LETTER:
        return [*where, *LETTER_FIELDS, *LETTER_TIMES, "headers", "key_base64", "value_base64"]
    return None


def _origin(record: Record) -> bytes:
    where, when = _where(record.topic, record.partition), _instant(record.timestamp)
    return b'%b%d,"_timestamp":"%b"' % (where, record.offset, when)


@lru_cache(4096)
def _where(topic: str, partition: int) -> bytes:
    return b'{"_topic":"%b","_partition":%d,"_offset":' % (topic.encode(), partition)


@lru_cache(4096)  # many records of a batch have the same
def _instant(millis: int) -> bytes:
    return from_millis(max(0, min(millis, LATEST_MS))).encode()
