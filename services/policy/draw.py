"""Draws for sampling: the same item always gets the same one, and nobody without the salt can foresee it."""

import hmac


def draw(salt: bytes, purpose: str, key: str) -> float:
    """A number in [0, 1), uniform over keys: HMAC-SHA-256 of purpose and key (`source/item_id`) under a secret salt.

    Purposes (audit, budget) draw independently of each other: each has a salt of its own, in that nobody can tell
    one draw of an item from another without the secret.
    """
    digest = hmac.digest(salt, f"{purpose}\0{key}".encode(), "sha256")
    return (int.from_bytes(digest[:8], "big") >> 11) / (1 << 53)
