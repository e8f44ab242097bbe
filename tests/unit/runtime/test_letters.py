"""Dead letters read back from the records of dead.letter."""

from services.runtime.deadletter import LIMIT, dead_letter
from services.runtime.letters import MARK, letters_in
from services.runtime.records import Headers, Record, Rejected

RECORD = Record(
    "content.submitted.demo", "content.submitted", 3, 17, b"demo/x", b"\xff", 5, (("trace", b"t"),)
)


def written(record: Record, offset: int) -> Record:
    out = dead_letter(Rejected(record, "undecodable", "not JSON"), "classifier", 99)
    return Record("dead.letter", "dead.letter", 0, offset, out.key, out.value, 99, out.headers)


def test_a_letter_is_what_was_rejected() -> None:
    (letter,) = letters_in([written(RECORD, 7)])
    assert letter.letter_id == "0:7"
    assert (letter.service, letter.error, letter.reason) == ("classifier", "undecodable", "not JSON")
    assert (letter.topic, letter.partition, letter.failed_at) == ("content.submitted.demo", 3, 99)
    assert (letter.key, letter.value, letter.headers) == (RECORD.key, RECORD.value, RECORD.headers)
    assert not letter.replayed


def test_a_tombstone_comes_back_as_one() -> None:
    tombstone = Record("label.recorded", "label.recorded", 0, 1, b"demo/x", None, 5)
    assert letters_in([written(tombstone, 0)])[0].value is None
    empty = Record("label.recorded", "label.recorded", 0, 1, b"demo/x", b"", 5)
    assert letters_in([written(empty, 0)])[0].value == b""


def test_a_mark_says_which_letter_was_replayed_and_is_none_itself() -> None:
    headers: Headers = ((MARK, b"0:7"),)
    mark = Record("dead.letter", "dead.letter", 0, 9, b"demo/x", b"", 5, headers)
    letters = letters_in([written(RECORD, 7), written(RECORD, 8), mark])
    assert [(each.letter_id, each.replayed) for each in letters] == [("0:7", True), ("0:8", False)]


def test_a_value_that_was_cut_is_known() -> None:
    long = Record("t", "t", 0, 0, b"", b"x" * (LIMIT + 5), 0)
    assert letters_in([written(long, 0)])[0].cut
    assert not letters_in([written(RECORD, 0)])[0].cut
