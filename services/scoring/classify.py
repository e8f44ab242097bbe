"""Texts to probabilities, in batches, on one thread.

ModelError (ValueError): the graph cannot be run, or is not shaped as its manifest says.
"""

from collections.abc import Sequence

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from services.scoring.bytegram import WINDOW_BYTES, encode, pack, windows

CHUNK = 128  # rows a run: larger ones fall out of the processor's cache (measured: 7 µs an item, 11 at 1,024)


class ModelError(ValueError):
    """The graph cannot be run, or is not shaped as its manifest says."""


class Classifier:
    """Scores texts with one model. Never raises on any str; safe to call from several threads."""

    def __init__(self, model: bytes, model_version: str, categories: Sequence[str]) -> None:
        self.model_version = model_version
        self.categories = tuple(categories)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1  # workers scale by process; spinning threads would fight over cores
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime has no common exception type
            raise ModelError(f"onnxruntime cannot load the model: {str(error)[:300]}") from error
        self._check_shapes()

    def classify(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Calibrated probabilities, float32 [texts, categories].

        A text of more than 512 bytes is scored in windows (see `bytegram.windows`) and gets, per category, the
        highest of their scores: one violating passage is enough.
        """
        rows = [encode(text) for text in texts]
        if not rows:
            return np.empty((0, len(self.categories)), np.float32)
        if max(map(len, rows)) <= WINDOW_BYTES:
            return self._score(rows)
        pieces = [windows(row) for row in rows]
        firsts = np.cumsum([0, *(len(piece) for piece in pieces[:-1])])
        scores = self._score([window for piece in pieces for window in piece])
        return np.maximum.reduceat(scores, firsts, axis=0)

    def _score(self, rows: Sequence[bytes]) -> NDArray[np.float32]:
        """Rows run in order of length, so that little of a chunk is padding."""
        scores = np.empty((len(rows), len(self.categories)), np.float32)
        lengths = np.fromiter(map(len, rows), np.int32, len(rows))
        order = np.argsort(lengths)
        for start in range(0, len(rows), CHUNK):
            chosen = order[start : start + CHUNK]
            packed = pack([rows[i] for i in chosen.tolist()])
            scores[chosen] = self._session.run(["probability"], {"bytes": packed})[0]
        return scores

    def _check_shapes(self) -> None:
        given = [(i.name, i.type, len(i.shape)) for i in self._session.get_inputs()]
        if given != [("bytes", "tensor(uint8)", 2)]:
            raise ModelError(f"inputs are {given[:3]}, not one uint8 tensor 'bytes' [batch, length]")
        made = [(o.name, o.type, o.shape) for o in self._session.get_outputs()]
        name, kind, shape = made[0]
        if len(made) != 1 or (name, kind) != ("probability", "tensor(float)") or len(shape) != 2:
            raise ModelError(
                f"outputs are {made[:3]}, not one float tensor 'probability' [batch, categories]"
            )
        if shape[1] != len(self.categories):
            raise ModelError(
                f"the model has {shape[1]} outputs, the manifest {len(self.categories)} categories"
            )
