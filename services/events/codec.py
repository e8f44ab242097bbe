"""Events from bytes and to bytes.

Readers are lenient where the contract is (unknown fields, absent nullable fields) and name what is wrong otherwise;
writers validate what they write. A stage that only passes a part on may declare a struct of its own with that part
as `msgspec.Raw`: anything with a `schema: Literal[...]` field can be decoded and encoded here.
"""

from functools import cache
from typing import Literal, TypeVar, get_args, get_origin

import msgspec

from services.events.errors import InvalidEvent, TooLarge, UndecodableEvent

MAX_ITEM_BYTES = 256 * 1024
MAX_RECORD_BYTES = 1024 * 1024

T = TypeVar("T", bound=msgspec.Struct)

_encoder = msgspec.json.Encoder()
_encode, _encode_into = _encoder.encode, _encoder.encode_into


class _Header(msgspec.Struct, gc=False):
    schema: str


_decode_header = msgspec.json.Decoder(_Header).decode


def decode(event_type: type[T], raw: bytes) -> T:
    """The event in `raw`, UTF-8 JSON of the schema that `event_type` is of.

    UndecodableEvent says what is wrong and where: broken JSON, not UTF-8, another schema, a missing field, a bad value
    with its path, an item past MAX_ITEM_BYTES.
    """
    own, decoder, opening = _reader(event_type)
    try:
        if not raw.isascii():
            raw.decode()  # parts that are skipped or passed on are not looked at otherwise
        if not raw.startswith(opening):  # ours write the schema first; other writers may write it anywhere
            found = _decode_header(raw).schema
            if found != own:
                raise UndecodableEvent(f"schema is {found!r}, expected {own!r} - at `$.schema`")
        event: T = decoder.decode(raw)
    except UnicodeDecodeError as error:
        raise UndecodableEvent(f"not UTF-8: byte {error.start} is 0x{raw[error.start]:02x}") from error
    except msgspec.ValidationError as error:
        raise UndecodableEvent(f"{own}: {error}") from error
    except msgspec.DecodeError as error:
        raise UndecodableEvent(f"not JSON: {error}") from error
    except RecursionError as error:
        raise UndecodableEvent("not JSON that we read: nested too deeply") from error
    if len(raw) > MAX_ITEM_BYTES:
        try:
            check_item(event)
        except TooLarge as error:
            raise UndecodableEvent(str(error)) from error
    return event


def encode(event: msgspec.Struct) -> bytes:
    """The event as UTF-8 JSON, checked against its schema and the limits.

    InvalidEvent where a value is none that readers take; TooLarge past MAX_ITEM_BYTES or MAX_RECORD_BYTES.
    """
    raw = _bytes_of(event)
    try:  # before the limits: a text that is too long is told by its field
        _reader(type(event))[1].decode(raw)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise _unwritable(event, error) from error
    if len(raw) > MAX_ITEM_BYTES:
        _check_limits(event, raw)
    return raw


class DerivedEncoder:
    """Encodes without reading again: for events whose every field was validated on its way in or made by a pure
    function of such (docs/decisions/0041-derived-events-are-written-unread.md). The limits hold all the same.

    For one thread at a time: what is written goes through one buffer, which costs a fifth less than one for each.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()

    def encode(self, event: msgspec.Struct) -> bytes:
        """The event as UTF-8 JSON. Raises as `encode` does for what cannot be written or is too large."""
        try:
            _encode_into(event, self._buffer)
        except (msgspec.MsgspecError, UnicodeEncodeError, TypeError, RecursionError) as error:
            raise _unwritable(event, error) from error
        raw = bytes(self._buffer)
        if len(raw) > MAX_ITEM_BYTES:
            _check_limits(event, raw)
        return raw


def _bytes_of(event: msgspec.Struct) -> bytes:
    try:
        return _encode(event)
    except (msgspec.MsgspecError, UnicodeEncodeError, TypeError, RecursionError) as error:
        raise _unwritable(event, error) from error


def _unwritable(event: msgspec.Struct, error: Exception) -> InvalidEvent:
    return InvalidEvent(f"{type(event).__name__} cannot be written: {error}")


def _check_limits(event: msgspec.Struct, raw: bytes) -> None:
    check_item(event)
    if len(raw) > MAX_RECORD_BYTES:
        raise TooLarge(f"{type(event).__name__} has {len(raw)} bytes, a record at most {MAX_RECORD_BYTES}")


def check_item(event: msgspec.Struct) -> None:
    """TooLarge where the event has an `item` that takes more than MAX_ITEM_BYTES, encoded."""
    item = getattr(event, "item", None)
    if item is not None and (size := len(_encode(item))) > MAX_ITEM_BYTES:
        raise TooLarge(f"the item has {size} bytes, at most {MAX_ITEM_BYTES} are allowed - at `$.item`")


@cache
def schema_name(event_type: type[msgspec.Struct]) -> str:
    """Name and version of the schema of an event, as in `content_submitted.v1`; TypeError where it has none."""
    for field in msgspec.structs.fields(event_type):
        if field.name == "schema" and get_origin(field.type) is Literal:
            name: str = get_args(field.type)[0]
            return name
    raise TypeError(f"{event_type.__name__} is no event: it has no field `schema: Literal[...]`")


@cache
def _reader(event_type: type[T]) -> tuple[str, msgspec.json.Decoder[T], bytes]:
    """Schema name, decoder, and how the bytes begin that need no look at their schema first."""
    name = schema_name(event_type)
    return name, msgspec.json.Decoder(event_type), b'{"schema":"%s"' % name.encode()
