"""What bytes and words add is what their n-grams say, whatever rows stand beside them."""

import numpy as np
import pytest
from numpy.typing import NDArray

from services.scoring import attribution
from services.scoring.attribution import attributed, byte_shares
from services.scoring.bytegram import Floats, encode, hash_ngrams, pack

ROWS_OF_BYTES = [
    b"x",
    b"ab",
    b"cut off ",
    b" a word",
    b"  ",
    encode("What a horrid thing"),
    encode("Straße \N{SLIGHTLY SMILING FACE}"),
    b"y" * 512,
]


def plainly(row: bytes, weights: Floats) -> NDArray[np.float64]:
    """n-gram by n-gram: an n-th of a term to each byte it covers."""
    shares = np.zeros((len(row), weights.shape[1]))
    for n, hashed in enumerate(hash_ngrams(pack([row])), start=1):
        for at in range(len(row) - n + 1):
            shares[at : at + n] += weights[hashed[0, at]] / np.sqrt(len(row)) / n
    return shares


def test_every_byte_has_its_part_of_the_ngrams_that_cover_it(made: tuple[Floats, Floats]) -> None:
    weights, _ = made
    plain = [plainly(row, weights) for row in ROWS_OF_BYTES]
    assert byte_shares(ROWS_OF_BYTES, weights) == pytest.approx(np.concatenate(plain), abs=1e-6)


def test_words_are_runs_without_spaces_and_add_up(made: tuple[Floats, Floats]) -> None:
    weights, _ = made
    for row, found in zip(ROWS_OF_BYTES, attributed(ROWS_OF_BYTES, weights), strict=True):
        shares, at, sums = plainly(row, weights), 0, []
        for word in row.split(b" "):
            if word:
                sums.append(shares[at : at + len(word)].sum(axis=0))
            at += len(word) + 1
        assert found.words.shape == (len(sums), 2)
        assert found.total == pytest.approx(shares.sum(axis=0), abs=1e-5)
        if sums:
            assert found.words == pytest.approx(np.stack(sums), abs=1e-5)


def test_nothing_depends_on_the_rows_beside_it(
    made: tuple[Floats, Floats], monkeypatch: pytest.MonkeyPatch
) -> None:
    weights, _ = made
    together = attributed(ROWS_OF_BYTES, weights)
    monkeypatch.setattr(attribution, "CHUNK_BYTES", 10)
    for found in (attributed(ROWS_OF_BYTES, weights), [attributed([r], weights)[0] for r in ROWS_OF_BYTES]):
        for one, other in zip(together, found, strict=True):
            assert np.array_equal(one.total, other.total) and np.array_equal(one.words, other.words)
