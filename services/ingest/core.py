"""What a request means: bytes to a submission, or to what is wrong with them. Pure."""

import re
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Literal

import msgspec

from services.events.codec import MAX_ITEM_BYTES, encode
from services.events.errors import InvalidEvent, InvalidInstant, TooLarge
from services.events.ids import derived_id, item_key
from services.events.instants import from_millis, to_millis
from services.events.types import ContentSubmitted, Instant, Item, ItemId, Revision

MAX_LINES = 1000
MAX_BATCH_BYTES = 10 * 1000 * 1000
ITEM_ID_RULE = "an item_id is 1 to 200 printable ASCII characters without spaces"
MAX_BODY_BYTES = 1024 * 1024  # an item of 256 KiB may take more in escapes

_TOO_LONG = re.compile(r"of length <= \d+ - at `\$\.item\.text`")
_ITEM_ID = re.compile(r"matching regex .* - at `\$\.item_id`")
_ESCAPE = re.compile(  # in JSON: a surrogate pair, half of one, or any other
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)
_PATH = re.compile(r" - at `\$(.*)`")
_encoder = msgspec.json.Encoder()


class Refused(Exception):
    """What a caller sent cannot be accepted: HTTP status, title, what to do, and where (a JSON Pointer)."""

    def __init__(self, status: int, title: str, detail: str, pointer: str | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.title = title
        self.detail = detail
        self.pointer = pointer


class _Body(msgspec.Struct, frozen=True, kw_only=True):
    """content_submitted as a caller may write it: the source comes from the key, ids are derived."""

    schema: str | None = None
    source: str | None = None
    item_id: ItemId
    revision: Revision = 1
    withdrawn: bool = False
    occurred_at: Instant | None = None
    item: Item | None = None


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What the caller is answered, and what is remembered for one who asks again."""

    decision: Literal["allow", "limit", "remove", "review"]
    categories: tuple[str, ...]
    scores: dict[str, float]
    rule: str | None  # what decided, for people to read
    reason: str | None = None  # why people are asked
    while_pending: Literal["publish", "hold"] | None = None  # what becomes of it while they look
    model_version: str
    policy_version: str

    def document(self) -> dict[str, Any]:
        """As JSON has it."""
        found: dict[str, Any] = msgspec.to_builtins(self)
        return found


@dataclass(frozen=True)
class Submission:
    """An event that may be produced, its key, and a hash by which the same content is known again.

    `verdict` is what the caller is answered who asked for one.
    """

    event: ContentSubmitted
    key: str
    fingerprint: str
    verdict: Verdict | None = None

    @property
    def event_id(self) -> str:
        assert self.event.event_id is not None
        return self.event.event_id


_decode_body = msgspec.json.Decoder(_Body).decode


def submission(raw: bytes, source: str, now: int) -> Submission:
    """The submission in a body or line, for the source of the key; `now` in ms. Raises Refused."""
    try:
        if not raw.isascii():
            raw.decode()
        body = _decode_body(raw)
    except UnicodeDecodeError as error:
        raise Refused(400, "not UTF-8", f"byte {error.start} is not UTF-8: send JSON in UTF-8") from error
    except msgspec.ValidationError as error:
        raise _invalid(str(error)) from error
    except (msgspec.DecodeError, RecursionError) as error:
        raise Refused(400, "not JSON", f"send one JSON object: {why_no_json(raw, error)}") from error
    if body.schema not in (None, "content_submitted.v1"):
        raise Refused(
            422, "wrong schema", f"schema is {body.schema!r}, expected 'content_submitted.v1'", "/schema"
        )
    if body.source not in (None, source):
        detail = f"the key writes for source {source!r}, the body names another: leave it out, or use its key"
        raise Refused(403, "forged source", detail, "/source")
    if not body.withdrawn and body.item is None:
        raise Refused(422, "invalid", "an item that is not withdrawn needs `item`", "/item")
    _check_instants(body)
    item = None if body.withdrawn else body.item
    return _submission(source, body.item_id, body.revision, body.withdrawn, item, body.occurred_at, now)


def why_no_json(raw: bytes, error: Exception) -> str:
    """What is wrong with a body that did not decode, where the decoder has it wrong or cannot say."""
    half = next((found for found in _ESCAPE.finditer(raw) if found[1]), None)
    if half is not None:
        return (
            f"{half[0].decode()} (byte {half.start()}) is half of a surrogate pair, and no character:"
            " send both halves, or leave it out"
        )
    return str(error)


def to_moderate(raw: bytes, source: str, now: int) -> Submission:
    """The same for one who wants a verdict. Raises Refused, also for a withdrawal: there is nothing to judge."""
    found = submission(raw, source, now)
    if found.event.withdrawn:
        detail = "a withdrawal needs no verdict: send DELETE /v1/items/{item_id}, or this to /v1/items"
        raise Refused(422, "nothing to judge", detail, "/withdrawn")
    return found


def of_text(text: str, source: str, item_id: str, now: int, **more: Any) -> Submission:
    """A comment without an id of its own, under a made one; `more` are fields of the item. Raises Refused."""
    return _submission(source, item_id, 1, False, Item(kind="comment", text=text, **more), None, now)


def withdrawal(source: str, item_id: str, revision: int, now: int) -> Submission:
    """The withdrawal of every revision up to `revision`; `now` in ms. Raises Refused."""
    return _submission(source, item_id, revision, True, None, None, now)


def lines_of(raw: bytes) -> list[bytes]:
    """The lines of a batch. Raises Refused past MAX_LINES, or where there is none."""
    lines = raw.removesuffix(b"\n").split(b"\n") if raw.strip() else []
    if not lines:
        raise Refused(400, "empty", "send at least one line of JSON")
    if len(lines) > MAX_LINES:
        raise Refused(413, "too many lines", f"a batch has at most {MAX_LINES} lines: split it")
    return lines


def _submission(
    source: str,
    item_id: str,
    revision: int,
    withdrawn: bool,
    item: Item | None,
    occurred_at: str | None,
    now: int,
) -> Submission:
    event = ContentSubmitted(
        event_id=derived_id("content_submitted", source, item_id, revision, int(withdrawn)),
        occurred_at=occurred_at or from_millis(now),
        source=source,
        item_id=item_id,
        revision=revision,
        withdrawn=withdrawn,
        item=item,
    )
    try:
        encode(event)
    except TooLarge as error:
        raise Refused(413, "too large", str(error), "/item") from error
    except InvalidEvent as error:
        raise _invalid(str(error).removeprefix("ContentSubmitted cannot be written: ")) from error
    fingerprint = blake2b(_encoder.encode(item), digest_size=16).hexdigest()
    return Submission(event, item_key(source, item_id), fingerprint)


def _check_instants(body: _Body) -> None:
    item = body.item
    for pointer, instant in (
        ("/occurred_at", body.occurred_at),
        ("/item/submitted_at", item.submitted_at if item else None),
        ("/item/author/created_at", item.author.created_at if item and item.author else None),
    ):
        if instant is not None:
            try:
                to_millis(instant)
            except InvalidInstant as error:
                raise Refused(422, "invalid", str(error), pointer) from error


def _invalid(message: str) -> Refused:
    if _TOO_LONG.search(message):
        detail = f"the item takes more than {MAX_ITEM_BYTES} bytes: shorten its text"
        return Refused(413, "too large", detail, "/item/text")
    if _ITEM_ID.search(message):
        return Refused(422, "invalid", ITEM_ID_RULE, "/item_id")
    found = _PATH.search(message)
    pointer = "/" + re.sub(r"[.\[]", "/", found[1].replace("]", "")).lstrip("/") if found else None
    field = re.search(r"missing required field `(\w+)`", message)
    if field:
        pointer = f"{pointer or ''}".rstrip("/") + f"/{field[1]}"
    return Refused(422, "invalid", message, pointer)
