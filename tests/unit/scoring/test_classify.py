"""Classifying: batches change nothing, and no text can stop it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.scoring.bytegram import Floats, features
from services.scoring.bytegraph import graph
from services.scoring.classify import CHUNK, ByteClassifier
from services.scoring.scores import ModelError


def test_a_batch_scores_as_its_texts_do_alone(classifier: ByteClassifier) -> None:
    texts = [f"text {i} " + "word " * (i % 97) for i in range(3 * CHUNK + 5)]
    together = classifier.classify(texts).probability
    assert together.shape == (len(texts), 2)
    assert together.dtype == np.float32
    alone = np.vstack([classifier.classify([text]).probability for text in texts[::17]])
    np.testing.assert_allclose(together[::17], alone, atol=1e-6)


def test_nothing_gives_nothing(classifier: ByteClassifier) -> None:
    assert classifier.classify([]).probability.shape == (0, 2)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(st.characters(codec=None, exclude_categories=()), max_size=40), max_size=5))
def test_no_text_stops_it(classifier: ByteClassifier, texts: list[str]) -> None:
    scores = classifier.classify(texts).probability
    assert scores.shape == (len(texts), 2)
    assert np.isfinite(scores).all()
    assert ((scores >= 0) & (scores <= 1)).all()


def test_a_long_text_gets_the_highest_score_of_its_windows(classifier: ByteClassifier) -> None:
    calm = "nothing to see here, move along. " * 100
    long = calm[:1500] + "QZX " * 20 + calm[:1500]
    scores = classifier.classify([long, "short"]).probability
    pieces = [
        classifier.classify([long[start : start + 300]]).probability[0] for start in range(0, len(long), 300)
    ]
    assert scores.shape == (2, 2)
    np.testing.assert_allclose(scores[1], classifier.classify(["short"]).probability[0], atol=1e-6)
    assert (scores[0] >= np.median(pieces, axis=0)).all()


def test_a_passage_is_found_wherever_in_4_kib_it_stands(made: tuple[Floats, Floats]) -> None:
    weights = np.zeros_like(made[0])
    marker = "zzzzz"
    weights[features([marker * 20]).indices, 0] = 3.0
    found = ByteClassifier(graph(weights, np.array([-8, 0], np.float32)).SerializeToString(), "m", ("a", "b"))
    for at in (0, 900, 1800, 2900, 3500):
        text = "." * at + marker * 20 + "." * (3900 - at)
        assert found.classify([text]).probability[0, 0] > 0.5, at
    assert found.classify(["." * 4000]).probability[0, 0] < 0.01


def test_a_model_with_other_outputs_than_categories_is_refused(made: tuple[Floats, Floats]) -> None:
    with pytest.raises(ModelError, match="2 outputs, the manifest 3 categories"):
        ByteClassifier(graph(*made).SerializeToString(), "m", ("a", "b", "c"))


def test_what_is_no_model_is_refused() -> None:
    with pytest.raises(ModelError, match="cannot load"):
        ByteClassifier(b"no model", "m", ("a",))
