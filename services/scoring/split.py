"""The fixed split of texts into test, audit and pool, the same wherever anything is trained or measured.

A text's side depends on nothing but the text, so that every training, on any machine, holds out the same ones.
"""

from enum import StrEnum
from hashlib import sha256


class Split(StrEnum):
    TEST = "test"  # frozen: measured on, never trained or tuned on
    AUDIT = "audit"  # calibrates, never fits weights
    POOL = "pool"  # trains


def split_of(text: str) -> Split:
    """SHA-256 of the text, its first 8 hex digits modulo 10: 0 and 1 test, 2 audit, the rest pool."""
    digit = int(sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8], 16) % 10
    if digit < 2:
        return Split.TEST
    return Split.AUDIT if digit == 2 else Split.POOL


def certifies(normalised: str) -> bool:
    """Whether an audit text certifies a retrained model instead of calibrating it, by its normalised spelling.

    Half do, by another digit of the hash than the split's: what calibrates a model says nothing about its risks.
    """
    return int(sha256(normalised.encode("utf-8", "surrogatepass")).hexdigest()[8:16], 16) % 2 == 1
