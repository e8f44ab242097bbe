"""The starter's recipe on small made-up files of the same formats: what is read, held out, and reproducible."""

import csv
from pathlib import Path

import pytest

from services.retrainer.corpora import CATEGORIES, read_all
from services.retrainer.starter import build_starter, examples, split_posts
from services.scoring import bundle
from services.scoring.normalise import normalise
from services.scoring.split import Split, split_of
from tests.unit.retrainer.posts import CAMPAIGN, INSULTS, TALK, make


def write(path: Path, rows: list[dict[str, str]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    tweets = [(text, "2") for text in make(TALK, 200, 1)] + [
        (text, "01"[i % 2]) for i, text in enumerate(make(INSULTS, 200, 2))
    ]
    write(folder / "davidson.csv", [{"tweet": text, "class": kind} for text, kind in tweets])
    messages = [("spam", text) for text in make(CAMPAIGN, 150, 3)] + [("ham", t) for t in make(TALK, 150, 4)]
    (folder / "sms_spam.tsv").write_text("".join(f"{kind}\t{text}\n" for kind, text in messages), "utf-8")
    severities = ["is_abuse.-1", "is_abuse.-2", "is_abuse.-3"]
    votes = [("c1", "hello there", "000"), ("c1", "you idiot", "100"), ("c1", "you idiot", "001")]
    votes += [("c2", "so so", "000"), ("c2", "so so", "010"), ("c3", " ", "000")]
    write(
        folder / "convabuse.csv",
        [
            {"conv_id": conv, "user": text, **dict(zip(severities, cast, strict=True))}
            for conv, text, cast in votes
        ],
    )
    spans = [
        {"text": f"{text} and that is all I have to say", "spans": "[0, 1, 2]"}
        for text in make(INSULTS, 20, 5)
    ]
    write(folder / "tsd_train.csv", [*spans, {"text": "nothing marked", "spans": "[]"}])
    return folder


def test_votes_become_a_majority_and_a_tie_is_left_out(data: Path) -> None:
    turns = {post.text: post.answers for post in read_all(data) if post.corpus == "convabuse"}
    assert turns == {
        "hello there": {"toxicity": False, "hate": False, "spam": False},
        "you idiot": {"toxicity": True, "spam": False},
        "so so": {"spam": False},
    }


def test_a_comment_without_its_toxic_spans_is_an_example_of_harmless(data: Path) -> None:
    posts = [post for post in read_all(data) if post.corpus == "toxic_spans"]
    assert len(posts) == 21
    assert posts[-1].answers == {} and not posts[-1].spans
    chosen = examples("toxicity", posts)
    assert chosen.truth.tolist() == [True] * 20 + [False] * 20
    assert not examples("hate", posts).truth.size


def test_no_test_text_in_any_spelling_is_trained_or_calibrated_on(data: Path) -> None:
    posts = read_all(data)
    parts = split_posts(posts)
    frozen = {normalise(post.text) for post in posts if split_of(post.text) is Split.TEST}
    assert len(frozen) > 50
    for part in (Split.POOL, Split.AUDIT):
        assert parts[part]
        assert all(split_of(post.text) is part for post in parts[part])
        assert not frozen & {normalise(post.text) for post in parts[part]}


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"has no davidson.csv, sms_spam.tsv.*--data"):
        read_all(tmp_path)


def test_it_builds_a_bundle_that_loads_and_builds_it_again_to_the_byte(data: Path, tmp_path: Path) -> None:
    told = build_starter(data, tmp_path / "one")
    build_starter(data, tmp_path / "two")
    found = bundle.load(tmp_path / "one")
    assert found.categories == CATEGORIES
    assert told.metrics["spam"]["sms_spam"]["roc_auc"] > 0.99
    assert f"{told.model_version}" in (tmp_path / "one" / "MODEL_CARD.md").read_text("utf-8")
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes(), path.name
