"""Draws for sampling: the same item always gets the same one, and nobody without the salt can foresee it."""

from functools import lru_cache
from hashlib import sha256
from struct import Struct
from typing import Any

BLOCK = 64  # bytes that SHA-256 takes at a time
INNER = bytes(byte ^ 0x36 for byte in range(256))
OUTER = bytes(byte ^ 0x5C for byte in range(256))
_first_64_bits = Struct(">Q").unpack_from


def draw(salt: bytes, purpose: str, key: str) -> float:
    """A number in [0, 1), uniform over keys: HMAC-SHA-256 of purpose and key (`source/item_id`) under a secret salt.

    Purposes (audit, budget) draw independently of each other: each has a salt of its own, in that nobody can tell
    one draw of an item from another without the secret.
    """
    begun, ended = _begun(salt, purpose)
    inner, outer = begun.copy(), ended.copy()
    inner.update(key.encode())
    outer.update(inner.digest())
    first: int = _first_64_bits(outer.digest())[0]
    return (first >> 11) / (1 << 53)


@lru_cache(64)
def _begun(salt: bytes, purpose: str) -> tuple[Any, Any]:
    """Both hashes of RFC 2104 with all that every key has in common in them: half of the work is the same each time."""
    secret = (sha256(salt).digest() if len(salt) > BLOCK else salt).ljust(BLOCK, b"\0")
    return sha256(secret.translate(INNER) + f"{purpose}\0".encode()), sha256(secret.translate(OUTER))
