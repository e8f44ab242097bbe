"""Posts with known labels: real ones where the data folder is there, else made from templates; and a new campaign."""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from loadtests import campaign as scam
from loadtests import templates

CHECKOUT = Path(__file__).resolve().parents[1]
# Shares of the real posts. The tweets were collected by slurs: taken as they come, three of four would be offensive.
MIX = {"neither": 0.46, "offensive": 0.28, "hate": 0.04, "ham": 0.16, "spam": 0.06}
TWEETS = {"0": "hate", "1": "offensive", "2": "neither"}
LABELS = {
    "neither": templates.CLEAN,
    "offensive": templates.TOXIC,
    "hate": templates.HATE,
    "ham": templates.CLEAN,
    "spam": templates.SPAM,
}


class DataSettings(BaseSettings):
    """Where real posts are."""

    model_config = SettingsConfigDict(env_prefix="SLUICEGATE_", extra="ignore")

    data: Path = Field(
        CHECKOUT.parent / "shared" / "data",
        description="Folder with davidson.csv and sms_spam.tsv; without them posts are generated",
    )


@dataclass(frozen=True)
class Post:
    """A text, the categories that apply to it (none: it is fine), and where it came from."""

    item_id: str
    text: str
    labels: frozenset[str]
    origin: str  # davidson, sms_spam, generated or campaign


def posts(n: int, seed: int, prefix: str = "post", data: Path | None = None) -> list[Post]:
    """`n` posts of different texts, the same for the same seed, with ids `prefix`-000000 and so on.

    Real ones from `data` (default: DataSettings) where both files are there, in the shares of MIX; else generated.
    ValueError where there are not so many.
    """
    folder = DataSettings().data if data is None else data
    draw = random.Random(seed)
    if (folder / "davidson.csv").is_file() and (folder / "sms_spam.tsv").is_file():
        found = _real(n, draw, folder)
    else:
        found = _different(n, _generated(draw))
    return [Post(f"{prefix}-{i:06d}", text, labels, origin) for i, (text, labels, origin) in enumerate(found)]


def campaign(n: int, seed: int, prefix: str = "campaign") -> list[Post]:
    """`n` spam posts of a campaign that no starter model was trained on, of different texts."""
    draw = random.Random(seed)
    made = (
        (templates.fill(draw.choice(scam.WORDINGS), draw, scam.FILLINGS), templates.SPAM, "campaign")
        for _ in iter(int, 1)
    )
    return [Post(f"{prefix}-{i:06d}", *found) for i, found in enumerate(_different(n, made))]


_Found = tuple[str, frozenset[str], str]


def _generated(draw: random.Random) -> Iterator[_Found]:
    while True:
        wording = draw.choice(templates.WORDINGS)
        yield templates.fill(wording.text, draw), wording.labels, "generated"


def _real(n: int, draw: random.Random, folder: Path) -> Sequence[_Found]:
    kinds: dict[str, list[_Found]] = {kind: [] for kind in MIX}
    with (folder / "davidson.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            kind = TWEETS[row["class"]]
            kinds[kind].append((row["tweet"], LABELS[kind], "davidson"))
    for line in (folder / "sms_spam.tsv").read_text("utf-8").splitlines():
        kind, _, text = line.partition("\t")
        kinds[kind.strip()].append((text, LABELS[kind.strip()], "sms_spam"))
    for texts in kinds.values():
        draw.shuffle(texts)
    order = draw.choices(list(MIX), list(MIX.values()), k=4 * n)
    return _different(n, (kinds[kind].pop() for kind in order if kinds[kind]))


def _different(n: int, found: Iterator[_Found]) -> list[_Found]:
    """The first `n` with different texts; ValueError where they run out, or hardly any new ones come."""
    chosen: dict[str, _Found] = {}
    for tried, one in enumerate(found):
        if len(chosen) == n or tried > 50 * n + 1000:
            break
        chosen.setdefault(one[0], one)
    if len(chosen) < n:
        raise ValueError(f"only {len(chosen)} of {n} different posts: ask for fewer")
    return list(chosen.values())
