"""What bytes and words add to the logits of a linear byte n-gram model: exact, and for many rows in one pass.

The logit is a bias plus one term for each n-gram. A term is shared evenly by the bytes that its n-gram covers, and the
weight of a word is the sum over its bytes. What is said of a row does not depend on the rows beside it.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.scoring.bytegram import ORDERS, hash_ngrams

CHUNK_BYTES = 1 << 14  # of rows at a time: what is made of them stays in the processor's cache
SPACE = ord(" ")
BEYOND = b"\0" * ORDERS  # so that something stands where an n-gram of the last bytes would end

Floats64 = NDArray[np.float64]


class Attributed(NamedTuple):
    """Of one row: what all its bytes add, [categories], and what its words do in their order, [words, categories].

    A word is a run of bytes without spaces.
    """

    total: Floats64
    words: Floats64


def attributed(rows: Sequence[bytes], weights: NDArray[np.float32]) -> list[Attributed]:
    """What the rows and their words add to the logits, for weights [2**18, categories]. No row may be empty."""
    found: list[Attributed] = []
    for chunk in _chunks(rows):
        found += _attributed(chunk, weights)
    return found


def byte_shares(rows: Sequence[bytes], weights: NDArray[np.float32]) -> Floats64:
    """What each byte of the rows, one row after the other, adds to each logit, float64 [bytes, categories]."""
    flat = np.frombuffer(b"".join([*rows, BEYOND]), np.uint8)
    length = len(flat) - len(BEYOND)
    lengths = _lengths(rows)
    left = np.repeat(lengths.cumsum(), lengths) - np.arange(length)  # bytes from here to the end of the row
    scale = np.repeat(1 / np.sqrt(lengths), lengths)
    hashed = hash_ngrams(flat[None])
    shares = np.zeros((length, weights.shape[1]))
    begun = np.zeros_like(shares)  # the shares of all n-grams that begin at a byte and reach n - 1 bytes on
    for n in range(ORDERS, 0, -1):
        part = np.where(left >= n, scale / n, 0.0)  # 0: it would reach into the next row
        begun += weights.take(hashed[n - 1][0, :length], axis=0) * part[:, None]
        shares[n - 1 :] += begun[: max(0, length - n + 1)]
    return shares


def _attributed(rows: Sequence[bytes], weights: NDArray[np.float32]) -> Iterator[Attributed]:
    shares = byte_shares(rows, weights)
    ends = _lengths(rows).cumsum()
    starts = ends - _lengths(rows)
    blank = np.frombuffer(b"".join(rows), np.uint8) == SPACE
    begins, stops = (
        np.ones_like(blank),
        np.ones_like(blank),
    )  # whether a word would begin here, or stop after it
    begins[1:], stops[:-1] = blank[:-1], blank[1:]
    begins[starts] = stops[ends - 1] = True
    borders = np.stack((np.flatnonzero(begins & ~blank), np.flatnonzero(stops & ~blank) + 1), axis=1)
    beyond = np.concatenate((shares, np.zeros((1, shares.shape[1]))))  # the last word may stop at the end
    words = np.add.reduceat(beyond, borders.ravel(), axis=0)[::2] if len(borders) else shares[:0]
    totals = np.add.reduceat(shares, starts, axis=0)
    of = np.searchsorted(borders[:, 0], [*starts.tolist(), len(shares)]).tolist()
    for number, total in enumerate(totals):
        yield Attributed(total, words[of[number] : of[number + 1]])


def _lengths(rows: Sequence[bytes]) -> NDArray[np.int64]:
    return np.fromiter(map(len, rows), np.int64, len(rows))


def _chunks(rows: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    """The rows in their order, CHUNK_BYTES at a time or one row more."""
    chunk: list[bytes] = []
    size = 0
    for row in rows:
        chunk.append(row)
        size += len(row)
        if size >= CHUNK_BYTES:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk
