"""Which texts of a batch normalisation does no more to than lower-casing: most of them, and found for all at once.

Where one search of each pattern costs microseconds a text, looking for what the patterns need at the least takes a few
passes over the bytes of the whole batch. What is found is a little more than what the patterns match.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from services.scoring.lookalikes import LEET

_LETTER, _SIGN, _DOLLAR, _SEPARATOR, _BLANK, _ODD = (1 << bit for bit in range(6))
_SINGLE = _LETTER | _SIGN
_BETWEEN = "\xff"  # no character of ASCII; a blank, so that a blank at either end of a text is one of two


def _classes() -> bytes:
    """What each byte of a lower-cased ASCII text may be part of."""
    table = [_ODD if code < 0x20 or code == 0x7F else 0 for code in range(256)]
    for characters, flag in (
        ("abcdefghijklmnopqrstuvwxyz", _LETTER),
        (LEET, _SIGN),
        ("$", _DOLLAR),
        (".-_*", _SEPARATOR),
        (" " + _BETWEEN, _BLANK),
    ):
        for character in characters:
            table[ord(character)] |= flag
    return bytes(table)


_CLASSES = _classes()


def suspects(lowered: Sequence[str]) -> list[int]:
    """Which of some lower-cased ASCII texts `normalise` may change, as rising indices.

    They may hold a character that is not printable, white space that goes, letters in a row, or what
    `services.scoring.tricks` undoes.
    """
    joined = f"{_BETWEEN}{_BETWEEN.join(lowered)}{_BETWEEN * 4}".encode("latin-1")
    byte = np.frombuffer(joined, np.uint8)
    kind = np.frombuffer(joined.translate(_CLASSES), np.uint8)
    size = len(byte) - 4

    def at(place: int, flag: int) -> NDArray[np.bool_]:
        """Where the character `place` places on is of a kind."""
        return np.asarray((kind[place : place + size] & flag) != 0)

    letter, single, blank, separator = at(0, _LETTER), at(2, _SINGLE), at(0, _BLANK), at(0, _SEPARATOR)
    letter_next, letter_fourth = at(1, _LETTER), at(3, _LETTER)
    found = at(1, _ODD)
    found |= blank & at(1, _BLANK)
    found |= letter & (byte[:size] == byte[1 : size + 1]) & (byte[:size] == byte[2 : size + 2])
    found |= letter & at(1, _SIGN) & single
    found |= letter & at(1, _DOLLAR) | at(0, _DOLLAR) & letter_next
    found |= blank & at(1, _SINGLE) & at(2, _BLANK) & at(3, _SINGLE) & at(4, _BLANK)
    found |= separator & letter_next & at(2, _SEPARATOR) & letter_fourth & at(4, _SEPARATOR)
    places = np.flatnonzero(found) + 1  # the second character of what was found is always inside the text
    lengths = np.fromiter(map(len, lowered), np.int64, len(lowered))
    ends = np.cumsum(lengths + 1)  # where the blank behind each text is
    found_in: list[int] = np.unique(np.searchsorted(ends, places)).tolist()
    return found_in
