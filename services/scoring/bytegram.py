"""Features of texts: counts of hashed byte n-grams, as training sees them and as the graph computes them.

x = counts of hashed 1..5-grams of the bytes / sqrt(bytes). The hash is multiplicative, prefix by prefix
(h[n] = h[n-1] * MULTIPLIER + byte), mixed with the order and cut to 2**BITS rows: the hashing trick of Weinberger et
al. 2009. `services.scoring.bytegraph` does the same inside an ONNX graph.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from services.scoring.normalise import normalise

BITS = 18
ROWS = 1 << BITS
ORDERS = 5
MULTIPLIER = 1_000_003
GOLDEN = 2_654_435_769  # 2**32 / golden ratio: Knuth's multiplicative hashing
WINDOW_BYTES = 512
MAX_WINDOWS = 8

Floats = NDArray[np.float32]


def encode(text: str) -> bytes:
    """UTF-8 bytes of the normalised text between two spaces; what cannot be encoded becomes '?'."""
    return encode_normal(normalise(text))


def encode_normal(normal: str) -> bytes:
    """The same for a text that is normalised already."""
    return f" {normal} ".encode("utf-8", "replace")


def window_offsets(length: int) -> list[int]:
    """Where the windows of a row of `length` bytes begin.

    They cover a row of up to 8 windows (4 KiB) without a gap; a longer one is sampled at even distances, its
    head and tail always among them, so that the cost of an item is bounded.
    """
    if length <= WINDOW_BYTES:
        return [0]
    count = min(MAX_WINDOWS, -(-length // WINDOW_BYTES))
    last = length - WINDOW_BYTES
    return [last * i // (count - 1) for i in range(count)]


def windows(row: bytes) -> list[bytes]:
    """The pieces of at most WINDOW_BYTES that a row is scored in."""
    return [row[start : start + WINDOW_BYTES] for start in window_offsets(len(row))]


def pack(rows: Sequence[bytes]) -> NDArray[np.uint8]:
    """Rows of bytes as one zero-padded uint8 array [rows, longest]; never narrower than the longest n-gram."""
    width = max(ORDERS, max(map(len, rows), default=0))
    joined = b"".join([row.ljust(width, b"\0") for row in rows])
    return np.frombuffer(joined, np.uint8).reshape(len(rows), width)


def hash_ngrams(packed: NDArray[np.uint8]) -> list[NDArray[np.int64]]:
    """The weight row of every n-gram: for n = 1..5 an array [batch, width - n + 1], as the graph computes it."""
    x = packed.astype(np.uint32)
    h = x
    hashed = []
    with np.errstate(over="ignore"):
        for n in range(1, ORDERS + 1):
            if n > 1:
                h = h[:, :-1] * np.uint32(MULTIPLIER) + x[:, n - 1 :]
            mixed = ((h + np.uint32(n)) * np.uint32(GOLDEN)) >> np.uint32(32 - BITS)
            hashed.append(mixed.astype(np.int64))
    return hashed


def features(texts: Sequence[str], block: int = 1000) -> sparse.csr_matrix:
    """The features of the first window of each text, float32 CSR [texts, 2**18]: what the graph sees, to train on."""
    return features_of_rows([encode(text) for text in texts], block)


def features_of_rows(encoded: Sequence[bytes], block: int = 1000) -> sparse.csr_matrix:
    """The same for texts that are encoded already."""
    blocks = [_features(encoded[start : start + block]) for start in range(0, len(encoded), block)]
    if not blocks:
        return sparse.csr_matrix((0, ROWS), dtype=np.float32)
    return sparse.csr_matrix(sparse.vstack(blocks, format="csr"))


def _features(encoded: Sequence[bytes]) -> sparse.csr_matrix:
    packed = pack([row[:WINDOW_BYTES] for row in encoded])
    rows: list[NDArray[np.int64]] = []
    columns: list[NDArray[np.int64]] = []
    for n, hashed in enumerate(hash_ngrams(packed), start=1):
        real = packed[:, n - 1 :] > 0
        rows.append(np.nonzero(real)[0])
        columns.append(hashed[real])
    row, column = np.concatenate(rows), np.concatenate(columns)
    scale = (1 / np.sqrt((packed > 0).sum(axis=1))).astype(np.float32)
    counts = sparse.csr_matrix((scale[row], (row, column)), shape=(len(packed), ROWS))
    counts.sum_duplicates()
    return counts
