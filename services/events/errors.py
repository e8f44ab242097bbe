"""What can be wrong with an event.

EventError
├── UndecodableEvent   bytes that are no event of the schema expected: goes to dead.letter, the reason with it
├── InvalidEvent       an event of ours that its own schema refuses: a mistake in the code that made it
├── InvalidInstant     a date that the calendar does not have, as in 2026-02-30T00:00:00Z
└── TooLarge           an item or a record past its limit: shorten it, or refuse it before it is accepted
"""


class EventError(Exception):
    """Anything wrong with an event; its text says what and where."""


class UndecodableEvent(EventError):
    """Bytes that are no event of the schema expected."""


class InvalidEvent(EventError):
    """An event of ours that its own schema refuses."""


class InvalidInstant(EventError, ValueError):
    """An instant that the calendar does not have."""


class TooLarge(EventError):
    """An item or a record past its limit."""
