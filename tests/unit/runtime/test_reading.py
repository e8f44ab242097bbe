"""Records and dead letters of what platforms may write, however odd."""

from typing import Any

from services.runtime.deadletter import LIMIT, dead_letter
from services.runtime.reading import to_record
from services.runtime.records import Record, Rejected


class OddHeaders:
    """As confluent-kafka's Message where the name of a header is not UTF-8 (seen with 2.16)."""

    def key(self) -> bytes:
        return b"k"

    value = key

    def topic(self) -> str:
        return "t"

    def partition(self) -> int:
        return 1

    def offset(self) -> int:
        return 2

    def timestamp(self) -> tuple[int, int]:
        return 1, 3

    def headers(self) -> None:
        b"\xff".decode()


def test_a_header_whose_name_is_not_utf_8_does_not_stop_the_stream() -> None:
    message: Any = OddHeaders()
    assert to_record(message, "t", "b") == Record("t", "b", 1, 2, b"k", b"k", 3)


def test_headers_are_read_where_they_are_wanted() -> None:
    message: Any = OddHeaders()
    message.headers = lambda: [("ce_id", b"1"), ("empty", None), ("old", "text")]
    assert to_record(message, "t", "b").headers == (("ce_id", b"1"), ("empty", b""), ("old", b"text"))
    assert to_record(message, "t", "b", headers=False).headers == ()


def test_a_dead_letter_fits_its_topic_whatever_came() -> None:
    huge = Record("t", "t", 0, 0, b"k" * 5_000_000, b"v" * 5_000_000, 0, (("", b""),) * 100_000)
    letter = dead_letter(Rejected(huge, "undecodable", "r" * 5_000_000), "s", 0)
    assert len(letter.key) + len(letter.value or b"") <= LIMIT
    assert sum(len(name) + len(raw) for name, raw in letter.headers) < 64 * 1024
