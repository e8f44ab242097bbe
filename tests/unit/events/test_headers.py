"""Headers are CloudEvents 1.0 in Kafka's binary mode."""

from services.events.headers import EventHeaders, traceparent_of

TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
DECIDED = EventHeaders("content_decided.v1", "router")


def test_the_attributes_that_cloudevents_requires() -> None:
    assert list(DECIDED.of("0af7", "2026-01-31T12:00:00.000Z")) == [
        ("ce_specversion", b"1.0"),
        ("ce_id", b"0af7"),
        ("ce_source", b"router"),
        ("ce_type", b"sluicegate.content_decided.v1"),
        ("ce_time", b"2026-01-31T12:00:00.000Z"),
        ("content-type", b"application/json; charset=utf-8"),
    ]


def test_the_trace_is_passed_on() -> None:
    written = DECIDED.of("0af7", "2026-01-31T12:00:00.000Z", TRACEPARENT)
    assert traceparent_of(written) == TRACEPARENT


def test_between_the_stages_of_the_hot_path_only_the_trace_goes_on() -> None:
    classified = EventHeaders("content_classified.v1", "classifier", cloudevents=False)
    assert classified.of("0af7", "2026-01-31T12:00:00.000Z") == ()
    assert classified.of("0af7", "2026-01-31T12:00:00.000Z", TRACEPARENT) == (
        ("traceparent", TRACEPARENT.encode()),
    )


def test_no_trace_where_there_is_none() -> None:
    assert traceparent_of(None) is None
    assert traceparent_of([("ce_id", b"0af7"), ("traceparent", None)]) is None
    assert traceparent_of([("traceparent", b"\xff")]) is None


def test_a_traceparent_that_is_none_is_not_passed_on() -> None:
    """A platform writes what it likes: one of 60 KB would make an output too large."""
    assert traceparent_of([("traceparent", b"0" * 60_000)]) is None
