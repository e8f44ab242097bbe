"""Which texts each head of the committee sees, and how often: the bootstrap (Efron 1979), drawn from the text."""

from collections.abc import Sequence
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray
from scipy import stats

HEADS = 5
_AT_MOST = stats.poisson.cdf(np.arange(10), 1.0)


def draws(texts: Sequence[str], head: int) -> NDArray[np.float64]:
    """How often a head sees each text: Poisson with mean 1, the limit of drawing with replacement.

    It depends on text and head alone, so that a label more changes nothing for the others, and copies go together.
    """
    seed = head.to_bytes(2, "big")
    hashed = [
        blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8, salt=seed).digest() for text in texts
    ]
    chance = (
        np.frombuffer(b"".join(hashed), ">u8") / 2.0**64
    )  # a checksum would not do: heads would draw alike
    return np.searchsorted(_AT_MOST, chance, side="right").astype(np.float64)
