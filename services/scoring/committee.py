"""The committee: heads fitted to bootstrap samples of the same data, whose spread says how sure the model can be.

A head is stored as its difference from the model, one byte a weight: an index into 127 magnitudes, eight an octave from
8 down to 1.5e-4, of either sign, and zero. So five heads of three categories take 3.9 MB, and a weight is off by 4.5%
of a difference that is itself small. The magnitudes are fixed, so that storing again what was read changes nothing.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.scoring.bytegram import Floats

OCTAVE, LEVELS, LARGEST = 8, 127, 3.0  # log2 of the largest magnitude is 3
_MAGNITUDES = 2.0 ** (LARGEST - np.arange(LEVELS)[::-1] / OCTAVE)
CODEBOOK: Floats = np.concatenate([[0.0], _MAGNITUDES, -_MAGNITUDES]).astype(np.float32)


class Heads(NamedTuple):
    """Bootstrap heads of a model: weights [heads, 2**18, categories], bias [heads, categories]."""

    weights: Floats
    bias: Floats


def to_codes(heads: Heads, weights: Floats) -> NDArray[np.uint8]:
    """How each head differs from the model's weights [2**18, categories], as codes [2**18, heads * categories]."""
    apart = (heads.weights - weights).transpose(1, 0, 2).reshape(len(weights), -1)
    with np.errstate(divide="ignore"):
        level = LEVELS - 1 - np.rint((LARGEST - np.log2(np.abs(apart))) * OCTAVE)
    level = np.minimum(level, LEVELS - 1)
    code = np.where(level >= 0, 1 + level + np.where(apart < 0, LEVELS, 0), 0)
    return code.astype(np.uint8)


def from_codes(codes: NDArray[np.uint8], bias: Floats, weights: Floats) -> Heads:
    """The heads that `to_codes` stored."""
    count = codes.shape[1] // weights.shape[1]
    apart = CODEBOOK[codes].reshape(len(weights), count, -1).transpose(1, 0, 2)
    return Heads(np.asarray(weights + apart, np.float32), bias.reshape(count, -1).astype(np.float32))
