"""Why a text scored as it did, as spans of the original text.

For the linear byte n-gram model attributions are exact: the logit is a bias plus one term for each n-gram. A term is
shared evenly by the bytes its n-gram covers, and a word's weight is the sum over its bytes: nothing is estimated, and
all bytes together with the bias are the logit (before a calibration curve, which is increasing). Other models are asked
again without each word (`services.scoring.occlusion`).
"""

from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from services.events.types import Span
from services.scoring.bytegram import ORDERS, encode, hash_ngrams, pack, window_offsets, windows
from services.scoring.bytegraph import Parts
from services.scoring.normalise import Alignment, align
from services.scoring.occlusion import occlude
from services.scoring.scores import Classifier

NEAR, FAINT = 0.6, 0.3  # chosen with the threshold of toxic spans, on comments that are not of the test split


class Explained(Protocol):
    """What a bundle offers to be explained by."""

    @property
    def categories(self) -> tuple[str, ...]: ...
    @property
    def linear(self) -> bool: ...
    @property
    def parts(self) -> Parts: ...
    @property
    def classifier(self) -> Classifier: ...


class Ngram(NamedTuple):
    """An n-gram of the normalised text, how often it is there and what it adds to the logit, in log-odds."""

    text: str
    times: int
    weight: float


def explain(bundle: Explained, text: str, category: str, limit: int = 5) -> list[Span]:
    """The words that moved `category` most, strongest first, with signed weights in log-odds.

    Offsets are characters of `text` as given, in whatever disguise a word stands there. Of a text of several windows
    the one that scores highest is explained, as it is the one that counts. Raises KeyError for a category that the
    model does not have.
    """
    return sorted(words(bundle, text, category), key=lambda span: (-abs(span.weight or 0.0), span.start))[
        :limit
    ]


def words(bundle: Explained, text: str, category: str) -> list[Span]:
    """Every word of the part that counts with its signed weight, in their order. Raises KeyError as `explain` does."""
    column = _column(bundle, category)
    if not bundle.linear:
        return occlude(bundle.classifier, text, [category])
    apart = _taken_apart(text)
    offset, shares = apart.strongest(bundle.parts.weights, column)
    before = [0.0, *np.cumsum(shares).tolist()]  # all bytes before each
    spans = []
    for word in apart.words:
        first, last = max(0, word.first - offset), min(word.last - offset, len(shares))
        if last > 0 and first < len(shares):
            weight = round(before[last] - before[first], 6)
            spans.append(Span(start=word.begin, end=word.stop, category=category, weight=weight))
    return spans


def top_ngrams(bundle: Explained, text: str, category: str, limit: int = 10) -> list[Ngram]:
    """The n-grams of the linear model that add or take most, strongest first; none where the model is not linear."""
    column = _column(bundle, category)
    if not bundle.linear:
        return []
    row = encode(text)
    weights = bundle.parts.weights[:, column]
    offset, shares = _taken_apart(text).strongest(bundle.parts.weights, column)
    piece = row[offset : offset + len(shares)]
    found: dict[bytes, list[float]] = {}
    for n, hashed in enumerate(hash_ngrams(pack([piece])), start=1):
        terms = weights[hashed[0]] / np.sqrt(len(piece))
        for at in range(len(piece) - n + 1):
            found.setdefault(piece[at : at + n], []).append(float(terms[at]))
    ngrams = [Ngram(k.decode("utf-8", "replace"), len(v), round(sum(v), 6)) for k, v in found.items()]
    return sorted(ngrams, key=lambda ngram: (-abs(ngram.weight), ngram.text))[:limit]


def joined_spans(text: str, spans: Sequence[Span], threshold: float) -> list[tuple[int, int]]:
    """Ranges [start, end) of the words of at least `threshold` log-odds, neighbours joined over what lies between them.

    Where none is so strong, those count that come NEAR to the strongest, if they reach FAINT of the threshold.
    """
    strongest = max((span.weight or 0.0 for span in spans), default=0.0)
    threshold = min(threshold, max(NEAR * strongest, FAINT * threshold))
    ranges: list[tuple[int, int]] = []
    last_chosen = False
    for span in sorted(spans, key=lambda span: span.start):
        chosen = (span.weight or 0.0) >= threshold
        if chosen and last_chosen and not text[ranges[-1][1] : span.start].strip():
            ranges[-1] = ranges[-1][0], span.end
        elif chosen:
            ranges.append((span.start, span.end))
        last_chosen = chosen
    return ranges


def byte_shares(row: bytes, weights: NDArray[np.float32]) -> NDArray[np.float64]:
    """What each byte of one row contributes to the logit, float64 [bytes]; they add up to logit - bias."""
    return _Window(row).shares(weights[:, None])[:, 0]


def _column(bundle: Explained, category: str) -> int:
    if category not in bundle.categories:
        raise KeyError(f"{category!r} is not a category of the model: {', '.join(bundle.categories)}")
    return bundle.categories.index(category)


class _Window:
    """One row of bytes: the weight rows of its n-grams, and the part of each that falls to a byte it covers."""

    def __init__(self, row: bytes) -> None:
        self._length = len(row)
        packed = pack([row])
        self._rows = np.zeros((ORDERS, packed.shape[1]), np.int64)  # of the n-gram that begins at a byte
        self._parts = np.zeros((ORDERS, packed.shape[1], 1))  # 0: none begins there
        for n, hashed in enumerate(hash_ngrams(packed), start=1):
            count = max(0, len(row) - n + 1)
            self._rows[n - 1, :count] = hashed[0, :count]
            self._parts[n - 1, :count] = 1 / (n * np.sqrt(len(row)))

    def shares(self, weights: NDArray[np.float32]) -> NDArray[np.float64]:
        """What each byte contributes to each logit, float64 [bytes, categories]."""
        terms = weights[self._rows] * self._parts
        longer = terms[::-1].cumsum(axis=0)[::-1]  # [k]: of all n-grams that reach k bytes on
        shares: NDArray[np.float64] = longer[0]
        for k in range(1, ORDERS):
            shares[k:] += longer[k, :-k]
        return shares[: self._length]


class _Word(NamedTuple):
    """A word: bytes [first, last) of the row, characters [begin, stop) of the original, without the signs around it."""

    first: int
    last: int
    begin: int
    stop: int


class _Apart:
    """A text taken apart, whatever it is explained for."""

    def __init__(self, text: str) -> None:
        row, found = encode(text), align(text)
        self._offsets = window_offsets(len(row))
        self._windows = [_Window(piece) for piece in windows(row)]
        ends: Sequence[int] = range(1, len(found.text) + 1)
        if not found.text.isascii():
            ends = list(accumulate(len(c.encode("utf-8", "replace")) for c in found.text))
        self.words = [
            _Word(
                (ends[start - 1] if start else 0) + 1,  # the row begins with a space
                ends[end - 1] + 1,
                *found.original(*_core(found.text, start, end)),
            )
            for start, end in _words(found)
        ]
        self._kept: tuple[NDArray[np.float32], list[NDArray[np.float64]]] | None = None

    def strongest(self, weights: NDArray[np.float32], column: int) -> tuple[int, NDArray[np.float64]]:
        """Offset in the row and byte shares of the window whose logit is highest in a column of the weights."""
        kept = self._kept
        if kept is None or kept[0] is not weights:  # mostly it is asked for several categories of one model
            kept = self._kept = weights, [window.shares(weights) for window in self._windows]
        found = [shares[:, column] for shares in kept[1]]
        best = max(range(len(found)), key=lambda i: float(found[i].sum()))
        return self._offsets[best], found[best]


_taken_apart = lru_cache(4)(_Apart)  # one text is explained for several categories in a row


def _core(text: str, start: int, end: int) -> tuple[int, int]:
    """A word without the signs around it, where it is not signs only: what they weigh is the word's."""
    begin, stop = start, end
    while begin < stop and not text[begin].isalnum():
        begin += 1
    while stop > begin and not text[stop - 1].isalnum():
        stop -= 1
    return (begin, stop) if begin < stop else (start, end)


def _words(found: Alignment) -> Sequence[tuple[int, int]]:
    """[start, end) of each run without spaces in the normalised text."""
    runs, position = [], 0
    for word in found.text.split(" "):
        if word:
            runs.append((position, position + len(word)))
        position += len(word) + 1
    return runs
