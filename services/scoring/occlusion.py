"""Why any model scored a text as it did: how the score falls without each word (Zeiler and Fergus 2014)."""

import re
from collections.abc import Sequence

import numpy as np

from services.events.types import Span
from services.scoring.scores import Classifier

MAX_PIECES = 64  # a text of more words is taken apart into as many runs of words, so that the cost is bounded
_WORD = re.compile(r"\S+")


def occlude(
    classifier: Classifier, text: str, categories: Sequence[str], pieces: int = MAX_PIECES
) -> list[Span]:
    """Every word (or run of words, at most `pieces`) in its order, with the log-odds each category loses by it."""
    columns = [classifier.categories.index(category) for category in categories]
    found = [match.span() for match in _WORD.finditer(text)]
    step = -(-len(found) // pieces)
    runs = [
        (group[0][0], group[-1][1]) for i in range(0, len(found), step or 1) if (group := found[i : i + step])
    ]
    without = [text[:start] + text[end:] for start, end in runs]
    p = np.clip(
        classifier.classify([text, *without]).probability[:, columns].astype(np.float64), 1e-7, 1 - 1e-7
    )
    odds = np.log(p / (1 - p))
    return [
        Span(start=start, end=end, category=category, weight=round(float(odds[0, column] - left), 6))
        for column, category in enumerate(categories)
        for (start, end), left in zip(runs, odds[1:, column], strict=True)
    ]
