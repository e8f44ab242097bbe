"""Verdicts in line: what ingest signs, and how it is known again.

The signature is HMAC-SHA-256 under a secret that ingest and the classifier share. It covers, one a line: a name for
this use of the secret, the source, the item_id, the revision, the SHA-256 of the item's bytes as they stand in
content.submitted, and the verdict without its signature as JSON with sorted keys. So it holds for one revision of one
item with this very content, and for no other action, score or version
(docs/decisions/0061-what-an-inline-verdict-signs.md).
"""

import hmac
from hashlib import sha256

import msgspec

from services.events.types import InlineVerdict

PURPOSE = b"sluicegate inline_verdict.v1"
UNSIGNED = "0" * 64

_encoder = msgspec.json.Encoder(order="sorted")


class _Carried(msgspec.Struct):
    item: msgspec.Raw = msgspec.Raw(b"null")
    inline: dict[str, msgspec.Raw] = {}


_carried = msgspec.json.Decoder(_Carried).decode
_plain = msgspec.json.Decoder()


def signed(
    secret: bytes, source: str, item_id: str, revision: int, item: bytes, verdict: InlineVerdict
) -> InlineVerdict:
    """The verdict with its signature. `item` are the bytes that the event will have for the item."""
    fields = msgspec.to_builtins(verdict)
    return msgspec.structs.replace(
        verdict, signature=_signature(secret, source, item_id, revision, item, fields)
    )


def forged(secret: bytes, source: str, item_id: str, revision: int, raw: bytes) -> str | None:
    """Why the verdict in a content_submitted.v1, which `raw` encodes, is not ours; None where it is.

    It is held against the bytes, so fields that a later ingest adds and this reader does not know are covered too.
    """
    carried = _carried(raw)
    fields = {name: _plain.decode(value) for name, value in carried.inline.items()}
    given = fields.pop("signature", "")
    right = _signature(secret, source, item_id, revision, bytes(carried.item), fields)
    if isinstance(given, str) and hmac.compare_digest(given.encode(), right.encode()):
        return None
    return (
        "the signature of `inline` is not that of this verdict on this content: leave `inline` out and the item is"
        " decided as usual; if it came from ingest, give ingest and classifier the same SLUICEGATE_INLINE_SECRET"
    )


def _signature(
    secret: bytes, source: str, item_id: str, revision: int, item: bytes, fields: dict[str, object]
) -> str:
    verdict = {name: value for name, value in fields.items() if name != "signature"}
    lines = (
        PURPOSE,
        source.encode(),
        item_id.encode(),
        b"%d" % revision,
        sha256(item).hexdigest().encode(),
        _encoder.encode(verdict),
    )
    return hmac.digest(secret, b"\n".join(lines), "sha256").hex()
