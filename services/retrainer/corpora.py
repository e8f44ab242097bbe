"""The public data sets that the starter model is trained on, read as texts with an answer per category.

Where a data set did not ask a question, the answer is None, but for three assumptions, each needed because a
model scores posts of every kind: short messages (SMS) are not toxic or hateful; posts in a data set about abuse
are not spam; a conversation turn that nobody found abusive is not hateful.
"""

import ast
import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

CATEGORIES = ("toxicity", "hate", "spam")
FILES = ("davidson.csv", "sms_spam.tsv", "convabuse.csv", "tsd_train.csv")


@dataclass(frozen=True)
class Post:
    """A text, the data set it came from and what is known of it; `harmless` is the text less its toxic spans."""

    text: str
    corpus: str
    answers: dict[str, bool] = field(default_factory=dict)
    harmless: str | None = None
    spans: frozenset[int] = frozenset()  # the characters that make it toxic, where that is known


def read_all(folder: Path) -> list[Post]:
    """Every post of the four files. Raises FileNotFoundError, which names what is missing."""
    missing = [name for name in FILES if not (folder / name).is_file()]
    if missing:
        raise FileNotFoundError(
            f"{folder} has no {', '.join(missing)}: pass the folder that holds them with --data"
        )
    return [
        *davidson(folder / "davidson.csv"),
        *sms_spam(folder / "sms_spam.tsv"),
        *convabuse(folder / "convabuse.csv"),
        *toxic_spans(folder / "tsd_train.csv"),
    ]


def davidson(path: Path) -> Iterator[Post]:
    """Tweets: class 0 hate, 1 offensive, 2 neither."""
    for row in _rows(path):
        answers = {"toxicity": row["class"] != "2", "hate": row["class"] == "0", "spam": False}
        yield Post(row["tweet"], "davidson", answers)


def sms_spam(path: Path) -> Iterator[Post]:
    """Short messages: ham or spam."""
    for line in path.read_text("utf-8").splitlines():
        label, _, text = line.partition("\t")
        yield Post(text, "sms_spam", {"toxicity": False, "hate": False, "spam": label == "spam"})


def convabuse(path: Path) -> Iterator[Post]:
    """User turns, one row a vote; toxic where most votes say abusive, left out of toxicity where they are even."""
    votes: dict[tuple[str, str], list[bool]] = {}
    for row in _rows(path):
        if row["user"].strip():
            abusive = "1" in (row["is_abuse.-1"], row["is_abuse.-2"], row["is_abuse.-3"])
            votes.setdefault((row["conv_id"], row["user"]), []).append(abusive)
    for (_, text), cast in votes.items():
        answers = {"spam": False}
        share = sum(cast) / len(cast)
        if share != 0.5:
            answers["toxicity"] = share > 0.5
        if share < 0.5:
            answers["hate"] = False
        yield Post(text, "convabuse", answers)


def toxic_spans(path: Path) -> Iterator[Post]:
    """Comments with the characters that make them toxic; without those they are harmless.

    Where nothing is marked nobody knows whether the comment is toxic: it answers nothing.
    """
    for row in _rows(path):
        toxic = set(ast.literal_eval(row["spans"]))
        if not toxic:
            yield Post(row["text"], "toxic_spans")
            continue
        rest = "".join(c for i, c in enumerate(row["text"]) if i not in toxic)
        harmless = " ".join(rest.split())
        enough = harmless if len(harmless) > 20 else None  # a word or two is no comment
        yield Post(row["text"], "toxic_spans", {"toxicity": True, "spam": False}, enough, frozenset(toxic))


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)
