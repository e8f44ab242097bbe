"""The hash by which two items count as copies of one another."""

from collections.abc import Sequence
from typing import Protocol

from services.events.ids import hex_digest
from services.scoring.normalise import normalise


class Reference(Protocol):
    """A medium as events carry it: where it is and, when known, the hash of its bytes."""

    @property
    def url(self) -> str: ...
    @property
    def sha256(self) -> str | None: ...


def text_hash(
    source: str, kind: str, text: str | None, media: Sequence[Reference] = (), normal: str | None = None
) -> str | None:
    """128-bit hex hash of source, kind, normalised text and media in their order.

    None where there is neither text nor media: an empty item is a copy of nothing. A medium counts by the hash
    of its bytes, else by its URL. Fields are separated by NUL, which a normalised text cannot hold. `normal` is the
    text normalised, from who has it.
    """
    if normal is None:
        normal = normalise(text) if text else ""
    if not normal and not media:
        return None
    fields = f"{source}\0{kind}\0{normal}"
    for medium in media:
        fields += f"\0{medium.sha256 or medium.url}"
    return hex_digest(fields)
