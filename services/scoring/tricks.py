"""Patterns that undo evasion in a folded text, each with what becomes of the characters it matches.

A trick yields one piece for every character of its match (empty: the character goes), so that the same code makes the
normalised text and tells where each of its characters came from. No result is matched again: the order below and the
conditions inside see to that, and a test holds it.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

from services.scoring.lookalikes import IN_LATIN_WORDS, LEET

MARKS = "\\u0300-\\u036f\\u0483-\\u0489\\u1ab0-\\u1aff\\u1dc0-\\u1dff\\u20d0-\\u20ff\\ufe20-\\ufe2f"
MARKS_KEPT = 2  # on a letter of another script: stress marks and the like

Pieces = Sequence[str]


class Trick(NamedTuple):
    """A pattern and the pieces that its matches become."""

    pattern: re.Pattern[str]
    pieces: Callable[[re.Match[str]], Pieces]
    only_with: re.Pattern[str] | None = (
        None  # a text without a match of it stays as it is: most do, and cheaply
    )

    def undo(self, text: str) -> str:
        """The text with every match replaced."""
        if self.only_with is not None and not self.only_with.search(text):
            return text
        return self.pattern.sub(lambda match: "".join(self.pieces(match)), text)


def _homoglyphs(match: re.Match[str]) -> Pieces:
    word = match.group()
    if not any(c in IN_LATIN_WORDS for c in word):
        return word
    others = [is_latin(c) for c in word if c.isalpha() and c not in IN_LATIN_WORDS]
    if not others or not all(others):  # a word of another script, or of two by right
        return word
    return [IN_LATIN_WORDS.get(c, "" if _MARK.match(c) else c) for c in word]


def _marks(match: re.Match[str]) -> Pieces:
    """A word without marks that no letter has; Latin letters then lose those that they have, too: all are noise."""
    word = match.group()
    if not _MARK.search(word):
        return word
    pieces, kept = [], 0
    for c in word:
        if not _MARK.match(c):
            latin = not c.isalpha() or is_latin(c)
            kept = 0 if latin else MARKS_KEPT
            pieces.append(unicodedata.normalize("NFD", c)[0] if latin else c)
        else:
            pieces.append(c if kept > 0 else "")
            kept -= 1
    return pieces


def _spaced(match: re.Match[str]) -> Pieces:
    """Letters joined; wider gaps between words stay, unless that left single letters in a row."""
    text = match.group()
    letters = [i for i, c in enumerate(text) if not c.isspace()]
    if sum(text[i].isalpha() for i in letters) * 2 <= len(letters):
        return text
    wide = [b - a > 2 for a, b in pairwise(letters)]
    alone = 0
    for before, after in zip([True, *wide], [*wide, True], strict=True):
        alone = alone + 1 if before and after else 0
        if alone == SINGLES:
            wide = [False] * len(wide)
            break
    kept = {a + 1 for a, gap in zip(letters, wide, strict=False) if gap}
    return [c if not c.isspace() else " " if i in kept else "" for i, c in enumerate(text)]


def _separated(match: re.Match[str]) -> Pieces:
    return [c if i % 2 == 0 else "" for i, c in enumerate(match.group())]


def _leet(match: re.Match[str]) -> Pieces:
    """Letters for what stands between letters; not in names (@you), codes (more digits than letters) or addresses."""
    word = match.group()
    core = word.rstrip("!@").lstrip("!")
    letters, digits = sum("a" <= c <= "z" for c in core), sum(c.isdigit() for c in core)
    if letters <= digits or core.startswith("@") or not MAYBE_LEET.search(core):
        return word
    if "!" in core and core.index("!") > 2:  # a lost space, not a letter: great!thanks
        return word
    if any(c not in LEET and not "a" <= c <= "z" for c in core) or _is_address(match):
        return word
    begin = len(word) - len(word.lstrip("!"))
    plain = [LEET.get(c, c) for c in core.replace("11", "ll")]
    return [*word[:begin], *plain, *word[begin + len(core) :]]


def _is_address(match: re.Match[str]) -> bool:
    """Whether the match stands in a web or mail address."""
    text = match.string
    first, last = max(0, match.start() - ADDRESS), match.end() + ADDRESS
    begin, end = text.rfind(" ", first, match.start()) + 1, text.find(" ", match.end(), last)
    token = text[max(begin, first) : end if end >= 0 else last]
    return "://" in token or _DOTTED.search(token) is not None


def _repeated(match: re.Match[str]) -> Pieces:
    run, text = match.group(), match.string
    before, after = text[match.start() - 1 : match.start()], text[match.end() : match.end() + 1]
    if not before.isalnum() and not after.isalnum():
        return run  # a word of its own: www, xxx, kkk
    return [run[0], run[1], *[""] * (len(run) - 2)]


def is_latin(letter: str) -> bool:
    """Whether a letter is of the Latin script."""
    return letter.isascii() or unicodedata.name(letter, "").startswith("LATIN")


ADDRESS = (
    200  # characters that are looked at on either side: the work for a text must not grow with its square
)
SINGLES = 4  # so many single letters in a row are a word
_SIGNS = re.escape("".join(LEET))
_MARK = re.compile(rf"[{MARKS}]")
_LOOKALIKE = re.compile(f"[{re.escape(''.join(IN_LATIN_WORDS))}]")
_DOTTED = re.compile(r"\w\.\w")
THRICE = re.compile(r"(.)\1\1", re.DOTALL)  # cheaper to look for than for a letter thrice
MAYBE_LEET = re.compile(rf"[{_SIGNS}](?:(?<=[a-z].)[{_SIGNS}]*[a-z]|(?<=[a-z]\$)|(?<=\$)[a-z])")

HOMOGLYPHS = Trick(re.compile(rf"(?:[^\W_]|[$@!{MARKS}])+"), _homoglyphs, _LOOKALIKE)
STRAY_MARKS = Trick(re.compile(rf"(?:[^\W_]|[$@!{MARKS}])+"), _marks, _MARK)
LEET_WORDS = Trick(re.compile(r"(?<![a-z0-9$@!])[a-z]*[0-9$@!][a-z0-9$@!]*"), _leet)


class Tricks(NamedTuple):
    """Tricks for one alphabet, with patterns of a rare first character that tell cheaply if there is nothing to do."""

    maybe_spaced: re.Pattern[str]
    spaced: Trick
    maybe_separated: re.Pattern[str]
    separated: Trick
    repeated: Trick


def _tricks(letter: str) -> Tricks:
    single = f"(?:{letter}|[{_SIGNS}])"
    more = SINGLES - 2
    return Tricks(
        re.compile(rf" {single} {single} "),
        Trick(re.compile(rf"(?<![\w'$@]){letter}(?:\s+{single}){{{more},}}\s+{letter}(?![\w'$@])"), _spaced),
        re.compile(rf"[.\-_*]{letter}[.\-_*]{letter}[.\-_*]"),
        Trick(re.compile(rf"(?<!\w){letter}([.\-_*]){letter}(?:\1{letter}){{{more},}}(?!\w)"), _separated),
        Trick(re.compile(rf"({letter})\1\1+"), _repeated),
    )


ASCII = _tricks("[a-z]")
UNICODE = _tricks(r"[^\W\d_]")
