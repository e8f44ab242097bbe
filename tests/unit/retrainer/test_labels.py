"""Labels in memory are what the compacted topic holds."""

from services.events.codec import encode
from services.events.types import Label, LabelRecorded, Selection
from services.retrainer.labels import Labels
from services.runtime.records import Record


def record(
    item: str, offset: int, *, partition: int = 0, text: str | None = "a text", spam: bool = True
) -> Record:
    event = LabelRecorded(
        event_id="0" * 32,
        occurred_at="2026-01-01T00:00:00.000Z",
        task_id=f"demo/{item}@1.1",
        source="demo",
        item_id=item,
        revision=1,
        kind="post",
        text=text,
        action="remove",
        labels=(Label(category="spam", value=spam),),
        purpose="decision",
        queue="general",
        selection=Selection(reason="uncertain", probability=0.5),
        agreement=1.0,
    )
    return raw(item, offset, encode(event), partition)


def raw(item: str, offset: int, value: bytes | None, partition: int = 0) -> Record:
    return Record("label.recorded", "label.recorded", partition, offset, f"demo/{item}".encode(), value, 0)


def test_the_last_label_of_an_item_counts() -> None:
    labels = Labels()
    for each in (record("1", 0, spam=True), record("2", 1), record("1", 2, spam=False)):
        labels.take(each)
    found, offsets = labels.snapshot()
    assert {(label.offset, label.answers["spam"]) for label in found} == {(1, True), (2, False)}
    assert found[0].selection_probability == 0.5
    assert offsets == {0: 3}


def test_a_tombstone_removes_what_was_withdrawn() -> None:
    labels = Labels()
    for each in (record("1", 0), record("2", 1), raw("1", 2, None), raw("never there", 3, None)):
        labels.take(each)
    found, offsets = labels.snapshot()
    assert [label.offset for label in found] == [1]
    assert offsets == {0: 4}
    assert len(labels) == 1


def test_a_newer_label_without_text_leaves_nothing_of_the_older() -> None:
    labels = Labels()
    labels.take(record("1", 0))
    labels.take(record("1", 1, text=None))
    assert labels.snapshot()[0] == []


def test_new_labels_are_counted_by_partition_from_the_offsets_given() -> None:
    labels = Labels()
    for each in (record("1", 5), record("2", 6), record("3", 0, partition=1), raw("4", 7, None)):
        labels.take(each)
    assert labels.new_since({}) == 3
    assert labels.new_since({0: 6}) == 2
    assert labels.new_since({0: 8, 1: 1}) == 0


def test_what_cannot_be_decoded_is_left_out_and_the_rest_goes_on() -> None:
    labels = Labels()
    for each in (raw("1", 0, b"\xff no event"), record("2", 1)):
        labels.take(each)
    assert len(labels) == 1
    assert labels.undecodable == 1
    assert labels.snapshot()[1] == {0: 2}
