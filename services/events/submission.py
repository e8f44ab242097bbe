"""content_submitted.v1 as readers of every item have it: as strictly as `decode`, and the bytes of the item with it."""

import re
from binascii import unhexlify
from collections.abc import Callable
from functools import lru_cache
from typing import Annotated, Any, Literal, get_args

import msgspec

from services.events.codec import MAX_ITEM_BYTES, decode
from services.events.types import (
    ContentSubmitted,
    EventId,
    InlineVerdict,
    Instant,
    Item,
    Revision,
    Source,
)

NO_ITEM = msgspec.Raw(b"null")


class Submission(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The fields of ContentSubmitted, the item as it came. Strings are checked by `read`, not by the decoder: that says
    only how long those may be that are kept once checked.
    """

    schema: Literal["content_submitted.v1"]
    event_id: str | None = None
    occurred_at: Annotated[str, msgspec.Meta(max_length=27)] | None = None
    source: Annotated[str, msgspec.Meta(max_length=40)]
    item_id: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    revision: Revision
    withdrawn: bool = False
    item: msgspec.Raw = NO_ITEM
    inline: InlineVerdict | None = None


_submission = msgspec.json.Decoder(Submission).decode
_item = msgspec.json.Decoder(Item | None).decode


def read(raw: bytes) -> tuple[Submission, Item | None]:
    """The event in `raw`, and its item.

    Takes what `decode(ContentSubmitted, raw)` takes, at less than half of its cost, and raises UndecodableEvent with
    its words for all else. Only where a name stands twice in the event is just the last value looked at, which is the
    one that counts.
    """
    try:
        if len(raw) <= MAX_ITEM_BYTES and (raw.isascii() or raw.decode()):
            event = _submission(raw)
            item, name = _item(event.item), event.item_id
            if (
                name.isascii()
                and name.isprintable()
                and " " not in name
                and (item is not None or event.withdrawn)
                and _is_source(event.source)
                and (event.occurred_at is None or _is_instant(event.occurred_at))
                and (event.event_id is None or _is_event_id(event.event_id))
            ):
                return event, item
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass  # the strict reader says what is wrong
    decode(ContentSubmitted, raw)
    event = _submission(raw)
    return event, _item(event.item)


def _is_event_id(text: str) -> bool:
    try:
        if len(text) == 32 and len(unhexlify(text)) == 16 and text == text.lower():
            return True
    except ValueError:
        pass
    return _event_id(text) is not None


def _matcher(alias: Any) -> Callable[[str], re.Match[str] | None]:
    """For the pattern of a string of services.events.types, as a whole."""
    return re.compile(get_args(alias)[1].pattern).match


_event_id, _source, _instant = map(_matcher, (EventId, Source, Instant))


@lru_cache(1024)
def _is_source(text: str) -> bool:
    return _source(text) is not None


@lru_cache(4096)
def _is_instant(text: str) -> bool:
    return _instant(text) is not None
