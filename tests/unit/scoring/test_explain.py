"""Attributions add up to the logit, and point at the original text."""

import numpy as np
import pytest

from services.scoring.bytegram import ROWS, Floats, encode, features
from services.scoring.bytegraph import Parts
from services.scoring.explain import byte_shares, explain
from services.scoring.scores import Classifier

CALM = "calm words here. and calm again. "


class Model:
    categories = ("toxicity", "spam")
    linear = True
    classifier: Classifier

    def __init__(self, parameters: tuple[Floats, Floats]) -> None:
        self.parts = Parts(*parameters)


@pytest.fixture
def model(made: tuple[Floats, Floats]) -> Model:
    return Model(made)


def knows(word: str, weight: float) -> Model:
    """A model whose only non-zero weights are n-grams that one word has and calm text has not, in toxicity."""
    weights = np.zeros((ROWS, 2), np.float32)
    weights[features([word]).indices, 0] = weight
    weights[features([CALM]).indices, 0] = 0.0
    return Model((weights, np.zeros(2, np.float32)))


@pytest.mark.parametrize("text", ["", "a", "one two", "Straße ＷＩＤＥ 🙂", "\ud800\0x"])
def test_shares_of_all_bytes_and_the_bias_are_the_logit(text: str, made: tuple[Floats, Floats]) -> None:
    for column in range(2):
        logit = float((features([text]) @ made[0][:, column])[0])
        assert byte_shares(encode(text), made[0][:, column]).sum() == pytest.approx(logit, rel=1e-4, abs=1e-4)


def test_the_word_that_counts_comes_first_with_its_sign() -> None:
    text = "what a HORRID thing to say"
    for weight in (1.0, -1.0):
        spans = explain(knows("horrid", weight), text, "toxicity")
        assert text[spans[0].start : spans[0].end] == "HORRID"
        assert np.sign(spans[0].weight or 0) == weight
        assert spans[0].category == "toxicity"


def test_words_cover_their_share_of_the_logit(model: Model) -> None:
    text = "one two three four"
    spans = explain(model, text, "spam", limit=10)
    assert [text[s.start : s.end] for s in sorted(spans, key=lambda s: s.start)] == text.split()
    shares = byte_shares(encode(text), model.parts.weights[:, 1])
    spaces = sum(share for share, byte in zip(shares, encode(text), strict=True) if byte == ord(" "))
    assert sum(s.weight or 0 for s in spans) == pytest.approx(shares.sum() - spaces, abs=1e-4)


def test_offsets_are_of_the_original_where_normalising_moves_them() -> None:
    text = "  \u00a0ﬁne,\t Ünï ＨＯＲＲＩＤ 🙂"
    span = explain(knows("horrid", 1.0), text, "toxicity", limit=1)[0]
    assert text[span.start : span.end] == "ＨＯＲＲＩＤ"


def test_no_more_than_asked_for(model: Model) -> None:
    assert len(explain(model, "ab cd ef gh ij", "spam", limit=3)) == 3
    assert explain(model, "", "spam") == []
    assert explain(model, " \0 ", "spam") == []


def test_of_a_long_text_the_window_that_counts_is_explained() -> None:
    text = CALM * 60 + "HORRID " + CALM * 20
    span = explain(knows("horrid", 1.0), text, "toxicity", limit=1)[0]
    assert text[span.start : span.end] == "HORRID"


def test_an_unknown_category_is_named(model: Model) -> None:
    with pytest.raises(KeyError, match="'fraud' is not a category of the model: toxicity, spam"):
        explain(model, "text", "fraud")
