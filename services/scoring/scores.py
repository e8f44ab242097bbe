"""What classifying texts gives, whatever kind of model does it."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
import onnxruntime
from numpy.typing import NDArray


class ModelError(ValueError):
    """The graph cannot be run, or is not shaped as its manifest says."""


class Scores(NamedTuple):
    """Calibrated probability, float32 [texts, categories], and the spread of a committee's, None without one."""

    probability: NDArray[np.float32]
    disagreement: NDArray[np.float32] | None = None


class Classifier(Protocol):
    """Scores texts with one model. Never raises on any str; safe to call from several threads."""

    @property
    def model_version(self) -> str: ...
    @property
    def categories(self) -> tuple[str, ...]: ...
    def classify(self, texts: Sequence[str], normal: Sequence[str] | None = None) -> Scores:
        """Scores of each text, in their order. `normal`: the texts normalised, from who has them for something else."""
        ...


def one_thread_session(model: bytes) -> onnxruntime.InferenceSession:
    """The model, loaded to run on the caller's thread. Raises ModelError where onnxruntime cannot load it."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # workers scale by process; spinning threads would fight over cores
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime has no common exception type
        raise ModelError(f"onnxruntime cannot load the model: {str(error)[:300]}") from error
