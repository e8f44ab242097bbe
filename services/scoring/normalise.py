"""What a text is before it is scored or compared: one function for training, serving and hashing.

Version 1: NFKC, case folded, NFKC again (folding can undo it), NUL to space, white space runs to one space.
A change in what `normalise` returns is a new NORMALISATION_VERSION: a bundle trained under another one is refused.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

NORMALISATION_VERSION = 1


def normalise(text: str) -> str:
    """The text as models and hashes see it. Idempotent, never raises, holds no NUL."""
    if text.isascii():  # most posts: folding is lower-casing, and NFKC changes nothing
        folded = text.lower()
    else:
        folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    if "\0" in folded:
        folded = folded.replace("\0", " ")
    return " ".join(folded.split())


@dataclass(frozen=True)
class Alignment:
    """A normalised text whose every character knows the characters of the original it came from."""

    text: str
    starts: Sequence[int]  # per normalised character: offset in the original
    ends: Sequence[int]  # per normalised character: offset past it in the original

    def original(self, start: int, end: int) -> tuple[int, int]:
        """The offsets in the original of normalised characters [start, end), which must not be empty."""
        return self.starts[start], self.ends[end - 1]


def align(text: str) -> Alignment:
    """`normalise(text)` with offsets back into `text`.

    Characters are normalised in segments that begin where nothing composes with what came before; where
    segments on their own do not add up to the whole (rare scripts), the whole text is one segment.
    """
    segments = _segments(text)
    if "".join(normal for _, _, normal in segments) != _fold(text):
        segments = [(0, len(text), _fold(text))]
    characters: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for start, end, normal in segments:
        for character in normal:
            blank = character.isspace() or character == "\0"
            if blank and (not characters or characters[-1] == " "):
                continue
            characters.append(" " if blank else character)
            starts.append(start)
            ends.append(end)
    if characters and characters[-1] == " ":
        characters.pop(), starts.pop(), ends.pop()
    return Alignment("".join(characters), starts, ends)


def _fold(text: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def _segments(text: str) -> list[tuple[int, int, str]]:
    """(start, end, folded) pieces of text, cut before every character that starts a new grapheme base."""
    cuts = [i for i, c in enumerate(text) if i == 0 or not (unicodedata.combining(c) or _joins(c))]
    return [(start, end, _fold(text[start:end])) for start, end in pairwise([*cuts, len(text)])]


def _joins(character: str) -> bool:
    """Whether a character of combining class 0 may compose with the one before it (marks, Hangul vowels and finals)."""
    code = ord(character)
    if code < 0x300:
        return False
    hangul = 0x1160 <= code <= 0x11FF or 0xD7B0 <= code <= 0xD7FF or 0xFF9E <= code <= 0xFFDC
    return hangul or unicodedata.category(character).startswith("M")
