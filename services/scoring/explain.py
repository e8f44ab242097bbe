"""Why a text scored as it did: exact attributions of the linear byte n-gram model, as spans of the original text.

The logit is a bias plus one term for each n-gram. A term is shared evenly by the bytes its n-gram covers, and a
word's weight is the sum over its bytes: nothing is estimated, and all bytes together with the bias are the logit.
"""

from collections.abc import Sequence
from itertools import accumulate
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from services.events.types import Span
from services.scoring.bytegram import Floats, encode, hash_ngrams, pack, window_offsets, windows
from services.scoring.normalise import Alignment, align


class LinearModel(Protocol):
    """What a bundle of a byte n-gram model offers."""

    @property
    def categories(self) -> tuple[str, ...]: ...
    @property
    def parameters(self) -> tuple[Floats, Floats]: ...


def explain(bundle: LinearModel, text: str, category: str, limit: int = 5) -> list[Span]:
    """The words that moved `category` most, strongest first, with signed weights in log-odds.

    Offsets are characters of `text` as given. Of a text of several windows the one that scores highest is
    explained, as it is the one that counts. Raises KeyError for a category that the model does not have.
    """
    if category not in bundle.categories:
        raise KeyError(f"{category!r} is not a category of the model: {', '.join(bundle.categories)}")
    weights, _ = bundle.parameters
    column = bundle.categories.index(category)
    found = align(text)
    offset, shares = _strongest_window(encode(text), weights[:, column])
    ends = list(accumulate(len(c.encode("utf-8", "replace")) for c in found.text))
    spans = []
    for start, end in _words(found):
        first = (ends[start - 1] if start else 0) + 1 - offset  # the row begins with a space
        last = ends[end - 1] + 1 - offset
        if last <= 0 or first >= len(shares):
            continue
        weight = float(shares[max(0, first) : last].sum())
        begin, stop = found.original(start, end)
        spans.append(Span(start=begin, end=stop, category=category, weight=round(weight, 6)))
    spans.sort(key=lambda span: (-abs(span.weight or 0.0), span.start))
    return spans[:limit]


def byte_shares(row: bytes, weights: NDArray[np.float32]) -> NDArray[np.float64]:
    """What each byte of one row contributes to the logit, float64 [bytes]; they add up to logit - bias."""
    packed = pack([row])
    shares = np.zeros(packed.shape[1])
    for n, hashed in enumerate(hash_ngrams(packed), start=1):
        term = weights[hashed[0]].astype(np.float64) / n
        term[max(0, len(row) - n + 1) :] = 0.0  # padding
        for k in range(n):
            shares[k : k + len(term)] += term
    return np.asarray(shares[: len(row)] / np.sqrt(len(row)))


def _strongest_window(row: bytes, weights: NDArray[np.float32]) -> tuple[int, NDArray[np.float64]]:
    """Offset in the row and byte shares of the window whose logit is highest."""
    offsets = window_offsets(len(row))
    shares = [byte_shares(piece, weights) for piece in windows(row)]
    best = max(range(len(shares)), key=lambda i: float(shares[i].sum()))
    return offsets[best], shares[best]


def _words(found: Alignment) -> Sequence[tuple[int, int]]:
    """[start, end) of each run without spaces in the normalised text."""
    words, position = [], 0
    for word in found.text.split(" "):
        if word:
            words.append((position, position + len(word)))
        position += len(word) + 1
    return words
