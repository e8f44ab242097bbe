"""The graph that serves computes what training saw."""

import numpy as np
import pytest

from services.scoring.bytegram import (
    MAX_WINDOWS,
    ORDERS,
    ROWS,
    WINDOW_BYTES,
    Floats,
    encode,
    features,
    window_offsets,
    windows,
)
from services.scoring.bytegraph import graph, parts
from services.scoring.classify import ByteClassifier

TEXTS = [
    "",
    "a",
    "ab",
    "Have a nice day",
    "Ünïcödé 🙂 text",
    "x" * 500,
    "nul\0 and \ud800",
    "ＷＩＤＥ  and\nlines",
]


def sigmoid(z: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(z, -80, 80))))


def test_the_graph_agrees_with_the_features(classifier: ByteClassifier, made: tuple[Floats, Floats]) -> None:
    weights, bias = made
    stored = weights.astype(np.float16).astype(np.float32)
    expected = sigmoid(features(TEXTS) @ stored + bias)
    np.testing.assert_allclose(classifier.classify(TEXTS).probability, expected, atol=1e-5)


def test_float16_costs_next_to_nothing(classifier: ByteClassifier, made: tuple[Floats, Floats]) -> None:
    weights, bias = made
    assert (
        np.abs(classifier.classify(TEXTS).probability - sigmoid(features(TEXTS) @ weights + bias)).max()
        < 1e-3
    )


def test_features_count_ngrams_and_divide_by_the_root_of_the_length() -> None:
    row = features(["aaa"])[0]  # ' aaa ': 5 bytes; 1-grams ' ' 2, 'a' 3; 2-grams ' a', 'aa' 2, 'a '; ...
    counts = sorted(np.round(row.data * np.sqrt(5)).astype(int).tolist())
    assert sum(counts) == 5 + 4 + 3 + 2 + 1
    assert counts[-1] == 3
    assert row.shape == (1, ROWS)


def test_no_texts_are_no_rows() -> None:
    assert features([]).shape == (0, ROWS)


def test_weights_come_back_out_of_a_graph(made: tuple[Floats, Floats]) -> None:
    found = parts(graph(*made).SerializeToString())
    assert found.heads is None and found.curves is None
    np.testing.assert_allclose(found.weights, made[0], rtol=1e-3, atol=1e-7)
    np.testing.assert_array_equal(found.bias, made[1])


def test_a_graph_of_another_kind_has_no_weights_to_start_from(made: tuple[Floats, Floats]) -> None:
    other = graph(*made)
    other.graph.initializer[0].name = "other"
    with pytest.raises(ValueError, match="not a byte n-gram graph"):
        parts(other.SerializeToString())


def test_weights_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match="weights must be"):
        graph(np.zeros((10, 2), np.float32), np.zeros(2, np.float32))


@pytest.mark.parametrize("length", [0, 1, 511, 512, 513, 1024, 4000, 4096])
def test_windows_cover_up_to_4_kib_without_a_gap(length: int) -> None:
    row = bytes(i * i % 251 + 1 for i in range(length))
    covered = 0
    for offset, window in zip(window_offsets(length), windows(row), strict=True):
        assert offset <= covered
        assert len(window) <= WINDOW_BYTES
        assert window == row[offset : offset + len(window)]
        covered = offset + len(window)
    assert covered == length


def test_windows_of_a_huge_text_are_bounded_and_hold_head_and_tail() -> None:
    row = encode("head " + "x" * 200_000 + " tail")
    pieces = windows(row)
    assert len(pieces) == MAX_WINDOWS
    assert pieces[0].startswith(b" head")
    assert pieces[-1].endswith(b"tail ")


def test_padding_leaves_room_for_every_order() -> None:
    assert ORDERS <= 8
    assert encode("") == b"  "
