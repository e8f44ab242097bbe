"""Attributions add up to the logit, and point at the original text."""

import numpy as np
import pytest

from services.events.types import Span
from services.scoring.attribution import byte_shares
from services.scoring.bytegram import ROWS, Floats, encode, features
from services.scoring.bytegraph import Parts
from services.scoring.explain import Asked, explain, explain_all, joined_spans, top_ngrams
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
        assert byte_shares([encode(text)], made[0])[:, column].sum() == pytest.approx(
            logit, rel=1e-4, abs=1e-4
        )


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
    shares = byte_shares([encode(text)], model.parts.weights)[:, 1]
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


def test_a_word_is_marked_without_the_signs_around_it() -> None:
    text = 'so "ＨＯＲＲＩＤ!!", they said'
    span = explain(knows("horrid", 1.0), text, "toxicity", limit=1)[0]
    assert text[span.start : span.end] == "ＨＯＲＲＩＤ"


@pytest.mark.parametrize(
    "word", ["h o r r i d", "h0rrid", "horri\u200bd", "h\u0336orrid", "hоrrid", "h.o.r.r.i.d"]
)
def test_a_disguised_word_is_marked_where_it_stands(word: str) -> None:
    text = f"what  a 😀 {word} thing"
    span = explain(knows("horrid", 1.0), text, "toxicity", limit=1)[0]
    assert text[span.start : span.end] == word


def test_the_ngrams_that_count_are_named_and_add_up(model: Model) -> None:
    text = "one two one"
    found = top_ngrams(model, text, "spam", limit=10_000)
    logit = float((features([text]) @ model.parts.weights[:, 1])[0])
    assert sum(ngram.weight for ngram in found) == pytest.approx(logit, abs=1e-3)
    assert {ngram.text: ngram.times for ngram in found}["one"] == 2
    assert [abs(n.weight) for n in found] == sorted((abs(n.weight) for n in found), reverse=True)
    assert len(top_ngrams(model, text, "spam", limit=3)) == 3


def test_neighbours_above_the_threshold_are_one_span() -> None:
    text = "you stupid  idiot, go away"
    words = [
        Span(start=s, end=e, category="toxicity", weight=w)
        for s, e, w in ((0, 3, 0.1), (4, 10, 1.0), (12, 17, 2.0), (19, 21, 0.0))
    ]
    assert joined_spans(text, words, 0.9) == [(4, 17)]
    assert joined_spans(text, words, 1.5) == [(12, 17)]
    assert joined_spans(text, words, 3.0) == [(12, 17)], "the strongest where none is strong"
    assert joined_spans(text, words, 30.0) == []
    assert joined_spans("", [], 1.0) == []


TEXTS = (
    "",
    "a",
    "you h0rrid  idiot!!",
    "Straße ＷＩＤＥ 🙂 h o r r i d",
    "\ud800\0x — “quoted” e\u0301",
    "ﷺ one",
    "x" * 1300,
    CALM * 60 + "HORRID " + CALM * 20,
)


def test_many_texts_are_explained_as_each_alone(model: Model) -> None:
    asked = [Asked(text, ("spam", "toxicity")) for text in TEXTS * 9]  # of more bytes than are read at a time
    alone = [explain(model, text, "spam", 4) + explain(model, text, "toxicity", 4) for text in TEXTS]
    assert explain_all(model, asked, 4) == alone * 9
    assert explain_all(model, [], 4) == []


def test_a_word_cut_by_the_edge_of_a_window_is_marked_whole(model: Model) -> None:
    text = "a" * 700 + " " + "b" * 700
    marked = {(span.start, span.end) for span in explain(model, text, "spam", 10)}
    assert marked <= {(0, 700), (701, 1401)} and marked
