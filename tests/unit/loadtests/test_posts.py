"""Posts have known labels, are all different, and are the same for the same seed."""

from __future__ import annotations

from pathlib import Path

import pytest

import infra
from loadtests.posts import Post, campaign, posts
from services.scoring import bundle

NOWHERE = Path("/nonexistent")
STARTER = Path(infra.__file__).parent / "starter"


def test_generated_posts_are_different_labelled_and_repeatable() -> None:
    made = posts(2000, seed=1, data=NOWHERE)
    assert len({post.text for post in made}) == len({post.item_id for post in made}) == 2000
    assert made == posts(2000, seed=1, data=NOWHERE) != posts(2000, seed=2, data=NOWHERE)
    share = {
        label: sum(label in post.labels for post in made) / 2000 for label in ("toxicity", "hate", "spam")
    }
    assert 0.2 < share["toxicity"] < 0.5 and share["hate"] > 0.05 and 0.1 < share["spam"] < 0.3


def test_asking_for_more_than_there_are_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "davidson.csv").write_text(",count,class,tweet\n0,3,2,one\n1,3,2,two\n")
    (tmp_path / "sms_spam.tsv").write_text("ham\tthree\n")
    with pytest.raises(ValueError, match="only 3 of 10"):
        posts(10, seed=1, data=tmp_path)


def test_real_posts_are_used_where_they_are(tmp_path: Path) -> None:
    (tmp_path / "davidson.csv").write_text(
        ",count,class,tweet\n" + "".join(f'{i},3,{i % 3},"tweet, {i}"\n' for i in range(300))
    )
    (tmp_path / "sms_spam.tsv").write_text(
        "".join(f"{'spam' if i % 2 else ' ham'}\tmessage {i}\n" for i in range(300))
    )
    found = posts(100, seed=1, data=tmp_path)
    labels = {int(post.text.split()[-1]) % 3: post.labels for post in found if post.origin == "davidson"}
    assert labels == {0: {"toxicity", "hate"}, 1: {"toxicity"}, 2: set()}
    spam = {bool(int(post.text.split()[-1]) % 2): post.labels for post in found if post.origin == "sms_spam"}
    assert spam == {True: {"spam"}, False: set()}


@pytest.fixture(scope="module")
def starter() -> bundle.Bundle:
    return bundle.load(STARTER)


def spam(starter: bundle.Bundle, found: list[Post]) -> list[float]:
    column = starter.categories.index("spam")
    return [
        float(row[column]) for row in starter.classifier.classify([post.text for post in found]).probability
    ]


def test_the_campaign_is_unclear_to_the_starter_model(starter: bundle.Bundle) -> None:
    scores = spam(starter, campaign(1000, seed=1))
    assert sum(score >= 0.95 for score in scores) < 30  # hardly any is caught, as the starter policy has it
    assert sum(0.10 < score < 0.95 for score in scores) > 300  # people see a part of it


def test_the_generated_posts_are_clear_to_it_in_part(starter: bundle.Bundle) -> None:
    made = posts(1000, seed=1, data=NOWHERE)
    worst = starter.classifier.classify([post.text for post in made]).probability.max(axis=1)
    assert (worst > 0.95).sum() > 100 and (worst < 0.15).sum() > 300
    assert ((worst >= 0.15) & (worst <= 0.95)).sum() > 100
