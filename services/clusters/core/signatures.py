"""MinHash signatures of normalised texts, and how alike two are.

The share of equal places of two signatures estimates the Jaccard similarity of the texts' sets of shingles (Broder
1997), here with a standard deviation of at most 0.044 (128 places). Signatures are compared in bands of rows (locality
sensitive hashing, Indyk and Motwani 1998): texts that agree in one whole band are looked at, others are not.
"""

import numpy as np
from rensa import RMinHash

from services.scoring.normalise import NORMALISATION_VERSION, normalise

SHINGLE = 4  # characters
PLACES = 128
SEED = 1
MOST_CHARACTERS = 10_000  # of a text; what is longer is compared by its beginning
RECALL = 0.99  # of pairs that are just as alike as the threshold asks, that share a band
METHOD = f"minhash-{RMinHash.ALGORITHM_VERSION}-{PLACES}-{SHINGLE}-n{NORMALISATION_VERSION}"


def signature_of(text: str | None) -> bytes | None:
    """The signature of a text, 4 bytes a place; None where nothing is left of it to compare."""
    normal = normalise(text[: 4 * MOST_CHARACTERS])[:MOST_CHARACTERS] if text else ""
    if not normal:
        return None
    readable = normal.encode("utf-8", "replace").decode(
        "utf-8"
    )  # half of a surrogate pair is nothing to hash
    last = max(1, len(readable) - SHINGLE + 1)
    shingles = {readable[start : start + SHINGLE] for start in range(last)}
    places = RMinHash.digests_from_token_sets([list(shingles)], PLACES, SEED)[0]
    return np.array(places, dtype="<u4").tobytes()


def similarity(one: bytes, other: bytes) -> float:
    """The estimated Jaccard similarity of two texts, 0 to 1."""
    equal = np.frombuffer(one, dtype="<u4") == np.frombuffer(other, dtype="<u4")
    return int(np.count_nonzero(equal)) / PLACES


def rows_for(threshold: float) -> int:
    """How many places make a band: as many as leave RECALL of the pairs at `threshold` (0 to 1) a band in common."""
    fit = [rows for rows in range(1, 17) if 1 - (1 - threshold**rows) ** (PLACES // rows) >= RECALL]
    return max(fit, default=1)


def bands(signature: bytes, rows: int) -> tuple[int, ...]:
    """A hash of each band with its number, for use within this process."""
    width = 4 * rows
    return tuple(
        hash((number, signature[number * width : (number + 1) * width])) for number in range(PLACES // rows)
    )
