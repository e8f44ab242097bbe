"""What a text is before it is scored or compared: one function for training, serving and hashing.

Version 2 (docs/normalisation.md): NFKC, invisible characters gone, marks that no letter has gone, look-alikes in Latin
words to Latin, case folded, spelt-out words joined, white space runs to one space, digits inside words to letters,
letters three times or more to twice. A change in what `normalise` returns is a new NORMALISATION_VERSION: a bundle
trained under another one is refused.
"""

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from services.scoring import tricks
from services.scoring.lookalikes import ANYWHERE
from services.scoring.plain import suspects
from services.scoring.tricks import Trick, Tricks

NORMALISATION_VERSION = 2
MANY = 32  # texts, from which on it is cheaper to look at them together
CHUNK = 500  # texts that are: their bytes stay in the processor's cache
SHORT = (
    4096  # characters of a text that is looked at together with others, which bounds the memory that takes
)

_ANYWHERE = frozenset(map(chr, ANYWHERE))


def normalise(text: str) -> str:
    """The text as models and hashes see it. Never raises, holds no NUL.

    Idempotent, but for eleven rare letters that fold to look-alikes (docs/normalisation.md).
    """
    if text.isascii():  # most posts: folding is lower-casing, and NFKC changes nothing
        folded = text.lower()
        if not folded.isprintable():
            folded = folded.translate(ANYWHERE)
        plain = tricks.ASCII
    else:
        folded = _fold(text)
        plain = tricks.ASCII if folded.isascii() else tricks.UNICODE
    words = " ".join(folded.split())
    if plain.maybe_separated.search(words) or plain.maybe_spaced.search(words):
        folded = plain.spaced.undo(plain.separated.undo(folded))
        if not folded.isascii():
            folded = tricks.HOMOGLYPHS.undo(
                tricks.STRAY_MARKS.undo(folded)
            )  # joined letters may be of two scripts
        words = " ".join(folded.split())
    if tricks.MAYBE_LEET.search(words):
        words = tricks.LEET_WORDS.undo(words)
    if tricks.THRICE.search(words) and plain.repeated.pattern.search(words):
        words = plain.repeated.undo(words)
    return words


def normalise_all(texts: Sequence[str]) -> list[str]:
    """`normalise` of each text, at a third of the cost where there are many."""
    if len(texts) < MANY:
        return [normalise(text) for text in texts]
    normal = []
    for start in range(0, len(texts), CHUNK):
        part = texts[start : start + CHUNK]
        lowered = [text.lower() if len(text) <= SHORT and text.isascii() else "\0" for text in part]
        for number in suspects(lowered):  # a NUL always is one
            lowered[number] = normalise(part[number])
        normal += lowered
    return normal


def _fold(text: str) -> str:
    """The first half, for texts that are not ASCII: what characters are, without regard to words of them."""
    seen = _nfkc(text)
    if not _ANYWHERE.isdisjoint(seen):  # a look at each character costs a third of translating each
        seen = seen.translate(ANYWHERE)
    if seen.isascii():
        return seen.lower()
    seen = tricks.HOMOGLYPHS.undo(tricks.STRAY_MARKS.undo(_nfkc(seen)))
    return _nfkc(seen.casefold())


def fold_only(text: str) -> str:
    """Version 1, which undid no evasion: kept to measure what the rest is good for."""
    folded = text.lower() if text.isascii() else _nfkc(_nfkc(text).casefold())
    return " ".join(folded.replace("\0", " ").split())


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
    """`normalise(text)` with offsets back into `text`, step by step as `normalise` goes. Not meant to be fast."""
    if text.isascii() and normalise(text) == text.lower():  # nothing moved
        return Alignment(text.lower(), range(len(text)), range(1, len(text) + 1))
    at = _Aligned(text, list(range(len(text))), list(range(1, len(text) + 1)))
    at = _by_segment(at, _nfkc)
    at = _rebuilt(at, [ANYWHERE.get(ord(c), c) for c in at.text])
    at = _undone(_undone(_by_segment(at, _nfkc), tricks.STRAY_MARKS), tricks.HOMOGLYPHS)
    at = _by_segment(at, lambda piece: _nfkc(piece.casefold()))
    plain: Tricks = tricks.ASCII if at.text.isascii() else tricks.UNICODE
    at = _undone(_undone(at, plain.separated), plain.spaced)
    at = _undone(_undone(at, tricks.STRAY_MARKS), tricks.HOMOGLYPHS)
    at = _collapsed(at)
    at = _undone(_undone(at, tricks.LEET_WORDS), plain.repeated)
    return Alignment(at.text, at.starts, at.ends)


@dataclass(frozen=True)
class _Aligned:
    """A text on its way: characters with the range of the original that each stands for."""

    text: str
    starts: list[int]
    ends: list[int]


def _rebuilt(at: _Aligned, pieces: Sequence[str]) -> _Aligned:
    """`pieces` for the characters, one each; a character that goes is covered by the one before it, but for a blank."""
    if list(pieces) == list(at.text):
        return at
    made: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for i, piece in enumerate(pieces):
        if not piece and made and not made[-1].isspace():
            ends[-1] = at.ends[i]
        made += piece
        starts += [at.starts[i]] * len(piece)
        ends += [at.ends[i]] * len(piece)
    return _Aligned("".join(made), starts, ends)


def _undone(at: _Aligned, trick: Trick) -> _Aligned:
    if trick.only_with is not None and not trick.only_with.search(at.text):
        return at
    pieces = list(at.text)
    for match in trick.pattern.finditer(at.text):
        pieces[match.start() : match.end()] = trick.pieces(match)
    return _rebuilt(at, pieces)


def _by_segment(at: _Aligned, change: Callable[[str], str]) -> _Aligned:
    """Changed in segments that begin where nothing composes with what came before.

    Where segments on their own do not add up to the whole (rare scripts), the whole text is one segment.
    """
    whole = change(at.text)
    if at.text.isascii() and whole == at.text:  # nothing composes: every character is a segment of its own
        return at
    cuts = [i for i, c in enumerate(at.text) if i == 0 or not (unicodedata.combining(c) or _joins(c))]
    segments = [(start, end, change(at.text[start:end])) for start, end in pairwise([*cuts, len(at.text)])]
    if "".join(piece for _, _, piece in segments) != whole:
        segments = [(0, len(at.text), whole)]
    starts = [at.starts[start] for start, _, piece in segments for _ in piece]
    ends = [at.ends[end - 1] for _, end, piece in segments for _ in piece]
    return _Aligned(whole, starts, ends)


def _collapsed(at: _Aligned) -> _Aligned:
    """White space runs to one space, none at either end."""
    last = len(at.text.rstrip())
    kept = [
        i for i, c in enumerate(at.text) if not c.isspace() or (0 < i < last and not at.text[i - 1].isspace())
    ]
    return _Aligned(
        "".join(" " if at.text[i].isspace() else at.text[i] for i in kept),
        [at.starts[i] for i in kept],
        [at.ends[i] for i in kept],
    )


def _nfkc(text: str) -> str:
    return unicodedata.normalize("NFKC", text)


def _joins(character: str) -> bool:
    """Whether a character of combining class 0 may compose with the one before it (marks, Hangul vowels and finals)."""
    code = ord(character)
    if code < 0x300:
        return False
    hangul = 0x1160 <= code <= 0x11FF or 0xD7B0 <= code <= 0xD7FF or 0xFF9E <= code <= 0xFFDC
    return hangul or unicodedata.category(character).startswith("M")
