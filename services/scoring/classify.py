"""Texts to probabilities with a byte n-gram graph, in batches, on one thread."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from services.scoring.bytegram import WINDOW_BYTES, encode_normal, pack, windows
from services.scoring.normalise import normalise_all
from services.scoring.scores import ModelError, Scores, one_thread_session

CHUNK = 128  # rows a run: larger ones fall out of the processor's cache (measured: 7 µs an item, 11 at 1,024)
OUTPUTS = ["probability", "disagreement"]  # the second only where there is a committee


class ByteClassifier:
    """Implements services.scoring.scores.Classifier. Raises ModelError for a graph of another shape."""

    def __init__(self, model: bytes, model_version: str, categories: Sequence[str]) -> None:
        self.model_version = model_version
        self.categories = tuple(categories)
        self._session = one_thread_session(model)
        self._outputs = self._checked_outputs()

    def classify(self, texts: Sequence[str], normal: Sequence[str] | None = None) -> Scores:
        """Scores of each text, in their order.

        A text of more than 512 bytes is scored in windows (see `bytegram.windows`) and gets, per category, the
        highest of their scores with its disagreement: one violating passage is enough.
        """
        rows = list(map(encode_normal, normalise_all(texts) if normal is None else normal))
        if max(map(len, rows), default=0) <= WINDOW_BYTES:
            return self._scores(self._run(rows))
        pieces = [windows(row) for row in rows]
        found = self._run([window for piece in pieces for window in piece])
        firsts = np.cumsum([0, *(len(piece) for piece in pieces[:-1])])
        best = found[:, firsts]
        for i, piece in enumerate(pieces):
            if len(piece) > 1:
                own = found[:, firsts[i] : firsts[i] + len(piece)]
                best[:, i] = np.take_along_axis(own, own[:1].argmax(axis=1, keepdims=True), axis=1)[:, 0]
        return self._scores(best)

    def _scores(self, found: NDArray[np.float32]) -> Scores:
        return Scores(found[0], found[1] if len(self._outputs) > 1 else None)

    def _run(self, rows: Sequence[bytes]) -> NDArray[np.float32]:
        """[outputs, rows, categories]. Rows run in order of length, so that little of a chunk is padding."""
        found = np.empty((len(self._outputs), len(rows), len(self.categories)), np.float32)
        lengths = np.fromiter(map(len, rows), np.int32, len(rows))
        order = np.argsort(lengths)
        for start in range(0, len(rows), CHUNK):
            chosen = order[start : start + CHUNK]
            packed = pack([rows[i] for i in chosen.tolist()])
            for output, values in enumerate(self._session.run(self._outputs, {"bytes": packed})):
                found[output, chosen] = values
        return found

    def _checked_outputs(self) -> list[str]:
        given = [(i.name, i.type, len(i.shape)) for i in self._session.get_inputs()]
        if given != [("bytes", "tensor(uint8)", 2)]:
            raise ModelError(f"inputs are {given[:3]}, not one uint8 tensor 'bytes' [batch, length]")
        made = [(o.name, o.type, o.shape) for o in self._session.get_outputs()]
        names = [name for name, _, _ in made]
        if names not in (OUTPUTS[:1], OUTPUTS) or any(
            kind != "tensor(float)" or len(shape) != 2 for _, kind, shape in made
        ):
            raise ModelError(
                f"outputs are {made[:3]}, not float 'probability' and perhaps 'disagreement' [batch, categories]"
            )
        for _, _, shape in made:
            if shape[1] != len(self.categories):
                raise ModelError(
                    f"the model has {shape[1]} outputs, the manifest {len(self.categories)} categories"
                )
        return names
