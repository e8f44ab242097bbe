"""A committee in the graph: stored small, read back the same, its spread is the disagreement."""

import numpy as np
import pytest

from services.scoring.bytegram import ROWS, Floats, features
from services.scoring.bytegraph import graph, parts
from services.scoring.calibration import straight
from services.scoring.classify import CHUNK, ByteClassifier
from services.scoring.committee import CODEBOOK, Heads, from_codes, to_codes

TEXTS = ["", "one two", "Straße ＷＩＤＥ 🙂", "y o u  id10t", "word " * 60]


@pytest.fixture(scope="module")
def heads(made: tuple[Floats, Floats]) -> Heads:
    rng = np.random.default_rng(3)
    apart = rng.normal(scale=0.2, size=(5, ROWS, 2)) * (rng.random((5, ROWS, 2)) < 0.5)
    return Heads((made[0] + apart).astype(np.float32), rng.normal(size=(5, 2)).astype(np.float32))


def test_a_stored_difference_is_off_by_a_twentieth_at_most(made: tuple[Floats, Floats], heads: Heads) -> None:
    found = from_codes(to_codes(heads, made[0]), heads.bias, made[0])
    apart, stored = heads.weights - made[0], found.weights - made[0]
    large = (np.abs(apart) > 2e-4) & (np.abs(apart) < 8)
    np.testing.assert_allclose(stored[large], apart[large], rtol=0.05)
    assert np.abs(stored[~large]).max() < 3e-4
    np.testing.assert_array_equal(found.bias, heads.bias)


def test_storing_what_was_read_changes_nothing(made: tuple[Floats, Floats], heads: Heads) -> None:
    codes = to_codes(heads, made[0])
    np.testing.assert_array_equal(to_codes(from_codes(codes, heads.bias, made[0]), made[0]), codes)


def test_every_code_is_another_difference() -> None:
    assert len(np.unique(CODEBOOK)) == len(CODEBOOK) == 255


def test_disagreement_is_the_spread_of_the_heads(made: tuple[Floats, Floats], heads: Heads) -> None:
    model = graph(*made, heads).SerializeToString()
    found = ByteClassifier(model, "m", ("a", "b")).classify(TEXTS)
    stored = parts(model)
    assert stored.heads is not None
    x = features([text[:500] for text in TEXTS])
    logits = np.stack([x @ w + b for w, b in zip(stored.heads.weights, stored.heads.bias, strict=True)])
    assert found.disagreement is not None
    np.testing.assert_allclose(found.disagreement, (1 / (1 + np.exp(-logits))).std(axis=0), atol=1e-4)
    alone = ByteClassifier(graph(*made).SerializeToString(), "m", ("a", "b")).classify(TEXTS)
    np.testing.assert_allclose(found.probability, alone.probability, atol=1e-6)
    assert alone.disagreement is None


def test_heads_that_agree_disagree_by_nothing(made: tuple[Floats, Floats]) -> None:
    same = Heads(np.stack([made[0]] * 5), np.stack([made[1]] * 5))
    stored = made[0].astype(np.float16).astype(np.float32)
    same = Heads(np.stack([stored] * 5), same.bias)
    found = ByteClassifier(graph(*made, same).SerializeToString(), "m", ("a", "b")).classify(TEXTS)
    assert found.disagreement is not None and found.disagreement.max() < 1e-3


def test_the_heads_are_calibrated_as_the_model_is(made: tuple[Floats, Floats], heads: Heads) -> None:
    flat = straight(2)
    flat.slopes[0] = 1e-3  # whatever the margin, the answer is about one half
    found = ByteClassifier(graph(*made, heads, flat).SerializeToString(), "m", ("a", "b")).classify(TEXTS)
    assert found.disagreement is not None
    assert np.abs(found.probability[:, 0] - 0.5).max() < 0.05 and found.disagreement[:, 0].max() < 0.01
    assert found.disagreement[:, 1].max() > 0.01


def test_a_long_text_has_the_disagreement_of_the_window_that_counts(
    made: tuple[Floats, Floats], heads: Heads
) -> None:
    found = ByteClassifier(graph(*made, heads).SerializeToString(), "m", ("a", "b"))
    text = "".join(f"word{i} " for i in range(300))
    whole = found.classify([text, "short"] * CHUNK)
    assert whole.disagreement is not None
    from services.scoring.bytegram import encode, windows

    pieces = found._run(windows(encode(text)))
    for column in range(2):
        best = int(pieces[0, :, column].argmax())
        assert whole.probability[0, column] == pytest.approx(float(pieces[0, best, column]), abs=1e-6)
        assert whole.disagreement[0, column] == pytest.approx(float(pieces[1, best, column]), abs=1e-6)
