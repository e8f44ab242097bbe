"""What a record is to ClickHouse: a line of a table, and which block it belongs to. Pure."""

from base64 import b64encode
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from operator import attrgetter

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


class _Envelope(msgspec.Struct, gc=False):
    schema: str


_envelope = msgspec.json.Decoder(_Envelope).decode
_place = attrgetter("topic", "partition")


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
    def runs(self) -> tuple[Sequence[Record], ...]:
        """The records of each partition. By their order, so few of them are looked at."""
        found: list[Sequence[Record]] = []
        start = 0
        while start < len(self.records):
            end = bisect_right(self.records, _place(self.records[start]), start, key=_place)
            found.append(self.records[start:end])
            start = end
        return tuple(found)

    @cached_property
    def ranges(self) -> tuple[Range, ...]:
        """One for each partition."""
        return tuple(
            Range(run[0].topic, run[0].partition, run[0].offset, run[-1].offset, len(run))
            for run in self.runs
        )

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


def _is_plain(value: bytes, event: str) -> bool:
    """Whether the value is an object of this schema, all ASCII. False also where that takes a closer look."""
    try:
        return value.isascii() and _envelope(value).schema == event
    except (msgspec.MsgspecError, RecursionError):
        return False


def _source_of_submission(value: bytes) -> str | None:
    """Who a submission says that it is from; None where it is none, for a reason that others tell.

    There is one for every item: its own reader takes and refuses what `decode` does for less.
    """
    try:
        return submission.read(value)[0].source
    except EventError:
        return None


class Classifier:
    """Where records belong, by topics.yaml."""

    def __init__(self, topics: Topics) -> None:
        self._topics = topics.topics
        self._tables = {base: table_of(base) for base in topics.topics}

    def destination(self, record: Record) -> str:
        """The table of a record."""
        (table,) = self.by_table([record])
        return table

    def by_table(self, records: Sequence[Record]) -> dict[str, list[Record]]:
        """Records of one topic by their table, in their order."""
        base = records[0].base
        table, event = self._tables[base], self._topics[base].event
        if event is None:
            return {table: list(records)}
        ours = "platform" not in self._topics[base].producers
        good: list[Record] = []
        found = {table: good}
        for record in records:
            value = record.value
            # Most are ours and good, and this says so in one step; `fault` has the last word on all others.
            if ours and value is not None and _is_plain(value, event):
                good.append(record)
            elif value is None:
                found.setdefault(TOMBSTONES, []).append(record)
            elif self.fault(record):
                found.setdefault(BAD_ROWS, []).append(record)
            else:
                good.append(record)
        return {name: members for name, members in found.items() if members}

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
            outside = "platform" in topic.producers
            named = _source_of_submission(value) if outside and topic.event == SUBMITTED else None
            if named is None:
                schema = _envelope(value).schema
                if schema != topic.event:
                    return Bad("wrong_schema", f"schema is {schema!r}, expected {topic.event!r}")
            if outside:
                named = named or getattr(decode(EVENTS[topic.event], value), "source", None)
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
    for _, of_partition in sorted(by_partition.items()):
        of_partition.sort(key=attrgetter("offset"))  # they come so: a look at each
        for table, members in classifier.by_table(of_partition).items():
            by_table.setdefault(table, []).extend(members)
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


def lines_of(block: Block, classifier: Classifier) -> list[bytes]:
    """The lines of JSONEachRow for the records of a block."""
    table = block.destination
    if table in (TOMBSTONES, DEAD_LETTER, BAD_ROWS):
        return [_line_of(record, table, classifier) for record in block.records]
    return [line for run in block.runs for line in _event_lines(run)]


def _line_of(record: Record, destination: str, classifier: Classifier) -> bytes:
    if destination == TOMBSTONES:
        return plain_line(record, {"key_base64": b64encode(record.key).decode()})
    if destination == DEAD_LETTER:
        return letter_line(record)
    fault = classifier.fault(record)
    assert destination == BAD_ROWS and fault is not None
    return bad_line(record, fault)


def event_line(record: Record, value: bytes) -> bytes:
    """The value as it came, where it is from put first: ClickHouse refuses a key that comes twice, so nobody forges
    it. `value` is one JSON object with at least one key.
    """
    return b"%b,%b" % (_origin(record), _members(value))


def _event_lines(run: Sequence[Record]) -> list[bytes]:
    """The same for the values of one partition as they came: what its lines have in common is made once."""
    where = _where(run[0].topic, run[0].partition)
    return [
        b'%b%d,"_timestamp":"%b",%b'
        % (where, record.offset, _instant(record.timestamp), _members(record.value or b""))
        for record in run
    ]


def _members(value: bytes) -> bytes:
    """A JSON object in one line, without the brace that opens it. `replace` finds nothing sooner than `in` does."""
    return value.lstrip()[1:].replace(b"\n", b" ").replace(b"\r", b" ")


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
