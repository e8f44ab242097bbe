"""The starter bundle that is committed."""

from pathlib import Path

import pytest

from services.scoring.bundle import Bundle, load

FOLDER = Path("infra/starter")


@pytest.fixture(scope="module")
def starter() -> Bundle:
    return load(FOLDER)


def test_it_is_small_and_complete(starter: Bundle) -> None:
    assert starter.categories == ("toxicity", "hate", "spam")
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) <= 8_000_000
    assert starter.precision.any()
    assert starter.model_version in (FOLDER / "MODEL_CARD.md").read_text("utf-8")


def test_it_tells_harmless_from_harmful(starter: Bundle) -> None:
    harmless, insult, spam = starter.classifier.classify(
        [
            "The train leaves at ten from platform four",
            "you are a stupid idiot and nobody likes you",
            "WINNER! Claim your FREE prize now, text WIN to 80082, only 1.50 a minute",
        ]
    ).probability
    toxicity, spamminess = starter.categories.index("toxicity"), starter.categories.index("spam")
    assert harmless.max() < 0.2
    assert insult[toxicity] > 0.9 > 0.2 > insult[spamminess]
    assert spam[spamminess] > 0.9 > 0.2 > spam[toxicity]


def test_held_out_figures_are_those_of_the_card(starter: Bundle) -> None:
    figures = starter.manifest.metrics
    assert figures["toxicity"]["davidson"]["roc_auc"] > 0.98
    assert figures["toxicity"]["davidson"]["ece"] <= 0.02
    assert figures["spam"]["sms_spam"]["roc_auc"] > 0.99
    card = (FOLDER / "MODEL_CARD.md").read_text("utf-8")
    for category, corpora in figures.items():
        for corpus, found in corpora.items():
            assert f"| {category} | {corpus} | {found['n']:,} |" in card


def test_the_card_names_whose_data_it_is() -> None:
    card = (FOLDER / "MODEL_CARD.md").read_text("utf-8")
    for owed in ("Almeida", "Cercas Curry", "CC BY 4.0", "Davidson", "Pavlopoulos", "CC0", "MIT"):
        assert owed in card
