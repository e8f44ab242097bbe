"""classifier.yaml: which items the fast tier hands to the slow one too, and how many at the most.

ClassifierFileError: the file cannot be read or says what it may not; names the place and what is expected.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import msgspec
import numpy as np

from services.policy.document import Document, read
from services.policy.errors import InvalidPolicy
from services.scoring.scores import Scores

_Probability = Annotated[float, msgspec.Meta(ge=0, le=1)]


class ClassifierFileError(Exception):
    """classifier.yaml cannot be used. Says where and why."""


class Uncertain(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a score is uncertain: either condition suffices, in any of the categories (empty: all of the model)."""

    probability: tuple[_Probability, _Probability] | None = None  # from, to: both included
    disagreement: Annotated[float, msgspec.Meta(ge=0)] | None = None  # of the committee's heads, from here on
    categories: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.probability is None and self.disagreement is None:
            raise ValueError(
                "name `probability: [from, to]`, `disagreement`, or both: else nothing is uncertain"
            )
        if self.probability is not None and self.probability[0] > self.probability[1]:
            raise ValueError("`probability` is [from, to]: the first must not be above the second")


class SlowTier(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the slow tier gets, and how long its scores are waited for."""

    uncertain: Uncertain
    share: Annotated[float, msgspec.Meta(gt=0, le=1)]  # of what is scored, at the most
    burst: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = (
        100  # items at once beyond that, after a calm stretch
    )
    wait_seconds: Annotated[float, msgspec.Meta(ge=0.05, le=3600)]

    @property
    def wait_ms(self) -> int:
        return round(self.wait_seconds * 1000)


class ClassifierFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All of classifier.yaml."""

    slow_tier: SlowTier | None = None


def load_slow_tier(path: Path | None) -> SlowTier | None:
    """What the file says of the slow tier, None where there is no file or it says nothing.

    Raises ClassifierFileError.
    """
    if path is None:
        return None
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ClassifierFileError(
            f"{path}, which SLUICEGATE_CLASSIFIER_FILE names, cannot be read ({reason}):"
            " infra/starter/classifier.yaml is one that works"
        ) from error
    try:
        return parse_slow_tier(text)
    except ClassifierFileError as error:
        raise ClassifierFileError(f"{path}: {error}") from error


def parse_slow_tier(text: str) -> SlowTier | None:
    """The same from the file's text."""
    try:
        document = read(text)
    except InvalidPolicy as error:  # no YAML; what reads policies says where
        raise ClassifierFileError(str(error)) from error
    try:
        return msgspec.convert(document.value, ClassifierFile).slow_tier
    except msgspec.ValidationError as error:
        raise ClassifierFileError(_placed(str(error), document)) from error


def _placed(message: str, document: Document) -> str:
    """The message of msgspec with line and column in place of its path: `… - at `$.slow_tier.share``."""
    what, _, path = message.partition(" - at `$")
    steps = re.findall(r"\.(\w+)|\[(\d+)\]", path)
    place = tuple(name or int(index) for name, index in steps)
    where = ".".join(map(str, place))
    return str(document.problem(place, f"`{where}`: {what}" if where else what))


def uncertain_texts(scores: Scores, categories: Sequence[str], condition: Uncertain) -> list[int]:
    """Which texts are uncertain, as rising indices. `scores` are [texts, categories]."""
    chosen = [
        i for i, name in enumerate(categories) if not condition.categories or name in condition.categories
    ]
    found = np.zeros(len(scores.probability), bool)
    if condition.probability is not None:
        low, high = condition.probability
        p = scores.probability[:, chosen]
        found |= ((p >= low) & (p <= high)).any(axis=1)
    if condition.disagreement is not None and scores.disagreement is not None:
        found |= (scores.disagreement[:, chosen] >= condition.disagreement).any(axis=1)
    return np.flatnonzero(found).tolist()


class Allowance:
    """A bucket that bounds a share of the stream: of any n items in a row at most share * n + burst are let through.

    It counts items, not time, so that the same stream is treated alike at any speed. Items that come again after an
    abort count again.
    """

    def __init__(self, share: float, burst: int) -> None:
        self._share, self._burst = share, float(burst)
        self._left = self._burst

    def take(self, wanted: Sequence[int], items: int) -> list[int]:
        """Which of the `wanted` of the next `items` (rising indices) are let through."""
        through, at = [], 0
        for index in wanted:
            self._left = min(self._burst, self._left + self._share * (index - at))
            at = index
            if self._left > 1 - 1e-9:  # ten tenths come to a hair below one
                self._left -= 1
                through.append(index)
        self._left = min(self._burst, self._left + self._share * (items - at))
        return through
