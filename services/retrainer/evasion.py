"""Texts as people write them who want to get past a filter: made from ordinary ones, by chance of a seed.

Every word of three letters or more is disguised with probability `share`, by one trick each, whatever it says: that a
text is disguised must not tell what it is. The tricks are those of the field (Gröndahl et al. 2018; Kurita et al.
2019), written down apart from what normalisation undoes: some disguises it does not undo.
"""

import random
import re
from collections.abc import Callable
from dataclasses import dataclass

_WORD = re.compile(r"[A-Za-z]{3,}")
_HOMOGLYPHS = {
    "a": "аɑα", "c": "сϲ", "e": "еҽε", "i": "іιí", "o": "оοօ", "p": "рρ", "s": "ѕꜱ", "x": "хχ", "y": "уγ", "t": "тτ",
    "u": "υս", "n": "пո", "k": "кκ", "h": "һн", "d": "ԁ", "b": "ЬƄ", "v": "ѵν", "r": "гꭇ", "g": "ɡց",
    "m": "м", "w": "ԝ",
}  # fmt: skip
_LEET = {"a": "4@", "e": "3", "i": "1!", "o": "0", "s": "5$", "t": "7+", "b": "8", "g": "9", "l": "1"}
_INVISIBLE = "\u200b\u200c\u200d\u2060\u00ad\ufeff\u202e"
_MARKS = "\u0336\u0335\u0332\u0323\u0300\u0308\u0346\u035b"


@dataclass(frozen=True)
class Disguised:
    """A disguised text; `words` are [start, end) in the original and [start, end) in `text` of each word of it."""

    text: str
    words: list[tuple[tuple[int, int], tuple[int, int]]]


def disguise(text: str, seed: int, share: float = 0.5) -> Disguised:
    """The text with about `share` of its words disguised; the same for the same seed. Addresses stay."""
    draw = random.Random(f"{seed} {text}")
    made: list[str] = []
    words: list[tuple[tuple[int, int], tuple[int, int]]] = []
    length = end = 0
    for match in _WORD.finditer(text):
        between = text[end : match.start()]
        length += len(between)
        word = match.group()
        if draw.random() < share and not _in_address(text, match.start(), match.end()):
            word = draw.choice(TRICKS)(word, draw)
        made += [between, word]
        words.append((match.span(), (length, length + len(word))))
        length += len(word)
        end = match.end()
    return Disguised("".join([*made, text[end:]]), words)


def _in_address(text: str, start: int, end: int) -> bool:
    before = re.search(r"\S*$", text[:start])
    token = (before.group() if before else "") + text[start:end]
    return token.startswith(("@", "http", "www", "&"))


def look_alike(word: str, draw: random.Random) -> str:
    """Some letters from another script, one at least where there is one."""
    return _substituted(word, _HOMOGLYPHS, draw)


def leetspeak(word: str, draw: random.Random) -> str:
    """Some inner letters as digits or signs."""
    return word[0] + _substituted(word[1:-1], _LEET, draw) + word[-1]


def hidden(word: str, draw: random.Random) -> str:
    """Invisible characters between letters."""
    return word[0] + "".join((draw.choice(_INVISIBLE) if draw.random() < 0.4 else "") + c for c in word[1:])


def marked(word: str, draw: random.Random) -> str:
    """Combining marks on every letter."""
    return "".join(c + "".join(draw.choices(_MARKS, k=draw.randrange(1, 3))) for c in word)


def stretched(word: str, draw: random.Random) -> str:
    """One letter repeated."""
    at = draw.randrange(len(word))
    return word[:at] + word[at] * draw.randrange(3, 8) + word[at + 1 :]


def spelt_out(word: str, draw: random.Random) -> str:
    """Letters apart, by blanks or by signs."""
    return draw.choice(" .-*_ ").join(word)


TRICKS: tuple[Callable[[str, random.Random], str], ...] = (
    look_alike, leetspeak, hidden, marked, stretched, spelt_out
)  # fmt: skip


def _substituted(word: str, table: dict[str, str], draw: random.Random) -> str:
    possible = [i for i, c in enumerate(word) if c.lower() in table]
    chosen = {i for i in possible if draw.random() < 0.5} or set(possible[:1])
    return "".join(draw.choice(table[c.lower()]) if i in chosen else c for i, c in enumerate(word))
