"""Why a text scored as it did, as spans of the original text.

For the linear byte n-gram model attributions are exact (`services.scoring.attribution`): nothing is estimated, and all
bytes together with the bias are the logit (before a calibration curve, which is increasing). Other models are asked
again without each word (`services.scoring.occlusion`).
"""

import re
from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np

from services.events.types import Span
from services.scoring.attribution import Attributed, attributed
from services.scoring.bytegram import encode_normal, hash_ngrams, pack, window_offsets, windows
from services.scoring.bytegraph import Parts
from services.scoring.normalise import align
from services.scoring.occlusion import occlude
from services.scoring.scores import Classifier

NEAR, FAINT = 0.6, 0.3  # chosen with the threshold of toxic spans, on comments that are not of the test split
_WORD = re.compile(r"[^ ]+")


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


class Asked(NamedTuple):
    """A text, and the categories that it is to be explained for."""

    text: str
    categories: Sequence[str]


def explain(bundle: Explained, text: str, category: str, limit: int = 5) -> list[Span]:
    """The words that moved `category` most, strongest first, with signed weights in log-odds.

    Offsets are characters of `text` as given, in whatever disguise a word stands there. Of a text of several windows
    the one that scores highest is explained, as it is the one that counts. Raises KeyError for a category that the
    model does not have.
    """
    return explain_all(bundle, [Asked(text, (category,))], limit)[0]


def explain_all(bundle: Explained, asked: Sequence[Asked], limit: int = 5) -> list[list[Span]]:
    """The same for many texts: of each, category by category as asked, `limit` words. What is said of a text does not
    depend on the texts beside it; of a linear model, many together take a tenth of what they take one by one.
    """
    if not bundle.linear:
        return [_occluded(bundle, each, limit) for each in asked]
    found = []
    for each, text in zip(asked, _taken_apart(bundle, [each.text for each in asked]), strict=True):
        spans: list[Span] = []
        for category in each.categories:
            weighed = text.weighed(_column(bundle, category))
            strongest = sorted(weighed, key=lambda word: -abs(word[1]))[:limit]
            spans += [text.span(number, category, weight) for number, weight in strongest]
        found.append(spans)
    return found


def words(bundle: Explained, text: str, category: str) -> list[Span]:
    """Every word of the part that counts with its signed weight, in their order. Raises KeyError as `explain` does."""
    column = _column(bundle, category)
    if not bundle.linear:
        return occlude(bundle.classifier, text, [category])
    (apart,) = _taken_apart(bundle, [text])
    return [apart.span(number, category, weight) for number, weight in apart.weighed(column)]


def top_ngrams(bundle: Explained, text: str, category: str, limit: int = 10) -> list[Ngram]:
    """The n-grams of the linear model that add or take most, strongest first; none where the model is not linear."""
    column = _column(bundle, category)
    if not bundle.linear:
        return []
    weights = bundle.parts.weights[:, column]
    (apart,) = _taken_apart(bundle, [text])
    piece = apart.pieces[apart.strongest(column)]
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


def _column(bundle: Explained, category: str) -> int:
    if category not in bundle.categories:
        raise KeyError(f"{category!r} is not a category of the model: {', '.join(bundle.categories)}")
    return bundle.categories.index(category)


def _occluded(bundle: Explained, asked: Asked, limit: int) -> list[Span]:
    for category in asked.categories:
        _column(bundle, category)
    found = occlude(bundle.classifier, asked.text, asked.categories)
    return [span for category in asked.categories for span in most(found, category, limit)]


def most(spans: Sequence[Span], category: str, limit: int) -> list[Span]:
    """The strongest of a category's spans, strongest first."""
    own = [span for span in spans if span.category == category]
    return sorted(own, key=lambda span: (-abs(span.weight or 0.0), span.start))[:limit]


class _Apart:
    """A text taken apart, whatever it is explained for: the windows that it is scored in and what their words add."""

    def __init__(self, text: str) -> None:
        self._found = align(text)
        self._row = encode_normal(self._found.text)
        self.pieces = windows(self._row)
        self.attributed: Sequence[Attributed] = ()  # of each piece
        self._ranges: list[tuple[int, int]] | None = None

    def strongest(self, column: int) -> int:
        """The number of the window whose logit is highest."""
        if len(self.pieces) == 1:
            return 0
        return max(range(len(self.pieces)), key=lambda i: float(self.attributed[i].total[column]))

    def weighed(self, column: int) -> list[tuple[int, float]]:
        """(number, weight) of the words of the window that counts, in their order; a word cut by its edge counts as
        far as it is in it.
        """
        window = self.strongest(column)
        weights = self.attributed[window].words[:, column].round(6).tolist()
        first = self._before(window_offsets(len(self._row))[window]) if window else 0
        return list(enumerate(weights, first))

    def span(self, number: int, category: str, weight: float) -> Span:
        """A word, where it stands in the original, without the signs around it."""
        if self._ranges is None:
            self._ranges = [match.span() for match in _WORD.finditer(self._found.text)]
        begin, stop = self._found.original(*_core(self._found.text, *self._ranges[number]))
        return Span(start=begin, end=stop, category=category, weight=weight)

    def _before(self, offset: int) -> int:
        """How many words of the row have ended at `offset`."""
        begun = sum(map(bool, self._row[:offset].split(b" ")))
        return begun - (b" " not in self._row[offset - 1 : offset + 1])


def _taken_apart(bundle: Explained, texts: Sequence[str]) -> list[_Apart]:
    """The texts, with what their words add to the logits of a linear model."""
    found = [_Apart(text) for text in texts]
    together = attributed([piece for apart in found for piece in apart.pieces], bundle.parts.weights)
    at = 0
    for apart in found:
        apart.attributed = together[at : at + len(apart.pieces)]
        at += len(apart.pieces)
    return found


def _core(text: str, start: int, end: int) -> tuple[int, int]:
    """A word without the signs around it, where it is not signs only: what they weigh is the word's."""
    begin, stop = start, end
    while begin < stop and not text[begin].isalnum():
        begin += 1
    while stop > begin and not text[stop - 1].isalnum():
        stop -= 1
    return (begin, stop) if begin < stop else (start, end)
