"""What a bundle is checked for before it serves.

BundleError (ValueError): the folder does not hold a bundle that may serve; says why and what to do.
"""

import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import onnx

from services.scoring import manifest
from services.scoring.folder import digest
from services.scoring.manifest import Manifest
from services.scoring.normalise import NORMALISATION_VERSION
from services.scoring.scores import Classifier

MODEL, MANIFEST, PRECISION, TOKENIZER = "model.onnx", "manifest.json", "precision.npy", "tokenizer.json"
FILES = {"bytes": {PRECISION}, "tokens": {TOKENIZER}}  # what a bundle of each kind may hold besides
MAX_MODEL_BYTES = 512 * 1024 * 1024
MAX_CATEGORIES = 256
GOLDEN_TOLERANCE = 1e-3  # float32 sums differ between processors by about 1e-6
SHAPED = {
    "ConstantOfShape": 0,
    "Expand": 1,
    "Tile": 1,
    "Reshape": 1,
}  # operators that take a shape, and which input it is
REBUILD = "Build the bundle again with `sluicegate model build-starter` or `sluicegate model retrain`"
COPY = "Copy the folder again from where it was made"


class BundleError(ValueError):
    """A bundle that must not serve. The message carries the folder, the reason and what to do."""

    def __init__(self, folder: Path | str, reason: str, advice: str) -> None:
        super().__init__(f"bundle {folder} refused: {reason}. {advice}")
        self.reason = reason


def check_manifest(folder: Path | str, told: Manifest) -> None:
    """That the manifest is one this build can serve."""
    if told.format != manifest.FORMAT:
        raise BundleError(folder, f"format is {told.format!r}, not {manifest.FORMAT!r}", REBUILD)
    if not re.fullmatch(r"[a-z0-9-]{1,60}", told.name):
        raise BundleError(
            folder, f"name {told.name!r} is not [a-z0-9-]{{1,60}}", "Rename it and build it again"
        )
    version = f"{told.name}-{told.content_hash[:12]}"
    if told.model_version != version:
        raise BundleError(folder, f"model_version is {told.model_version!r}, not {version!r}", REBUILD)
    if told.input not in FILES:
        raise BundleError(
            folder, f"input kind {told.input!r} is not known", f"This build serves {', '.join(sorted(FILES))}"
        )
    if (told.input == "tokens") != (told.tokens is not None):
        raise BundleError(folder, f"input kind {told.input!r} and `tokens` do not go together", REBUILD)
    categories = told.categories
    if not 0 < len(categories) <= MAX_CATEGORIES or len(set(categories)) != len(categories):
        reason = f"categories must be 1 to {MAX_CATEGORIES} different names, not {categories[:9]}"
        raise BundleError(folder, reason, REBUILD)
    for category in categories:
        if not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", category):
            raise BundleError(folder, f"category {category!r} is not [a-z][a-z0-9_]{{0,39}}", REBUILD)
    if told.normalisation != NORMALISATION_VERSION and not (
        told.input == "tokens" and told.normalisation == 0
    ):
        reason = (
            f"it was trained with normalisation {told.normalisation}, this build has {NORMALISATION_VERSION}"
        )
        raise BundleError(folder, reason, REBUILD)
    if not told.golden:
        raise BundleError(folder, "it has no golden texts", REBUILD)
    for name in told.files:
        if name not in FILES[told.input]:
            known = ", ".join(sorted(FILES[told.input]))
            raise BundleError(folder, f"file {name!r} is not known", f"Besides its model it may hold {known}")
    if told.input == "tokens" and TOKENIZER not in told.files:
        raise BundleError(folder, f"it names no {TOKENIZER} among its files", REBUILD)


def check_digests(folder: Path | str, told: Manifest, files: Mapping[str, bytes]) -> None:
    """That the files are those that the manifest was written for."""
    for name, expected in {MODEL: told.content_hash, **told.files}.items():
        found = digest(files[name])
        if found != expected:
            raise BundleError(folder, f"{name} has SHA-256 {found}, the manifest says {expected}", COPY)


def check_graph(folder: Path | str, data: bytes) -> None:
    """That the model is ONNX, whole in itself, and asks for no absurd amount of memory."""
    try:
        model = onnx.load_model_from_string(data)
    except Exception as error:  # protobuf's own error, whose module has no types
        raise BundleError(folder, f"{MODEL} is not ONNX ({error})", REBUILD) from error
    constants: dict[str, onnx.TensorProto] = {}
    for tensor in _tensors(model):
        if tensor.data_location == onnx.TensorProto.EXTERNAL or tensor.external_data:
            reason = f"{MODEL} refers to external data (tensor {tensor.name!r})"
            raise BundleError(folder, reason, "Save the model with its weights inside")
        if _elements(tensor.dims) > MAX_MODEL_BYTES:
            raise BundleError(folder, f"tensor {tensor.name!r} is said to be {list(tensor.dims)}", REBUILD)
        constants[tensor.name] = tensor
    for node in model.graph.node:
        if node.op_type == "Constant" and len(node.output) == 1:
            constants.update((node.output[0], a.t) for a in node.attribute if a.name == "value")
    for node in model.graph.node:
        at = SHAPED.get(node.op_type)
        asked = constants.get(node.input[at]) if at is not None and len(node.input) > at else None
        if (
            asked is not None
            and _elements(onnx.numpy_helper.to_array(asked).ravel().tolist()) > MAX_MODEL_BYTES
        ):
            raise BundleError(folder, f"{node.op_type} {node.name!r} makes a tensor of absurd shape", REBUILD)


def check_golden(folder: Path | str, told: Manifest, classifier: Classifier) -> None:
    """That the model answers the golden texts as it did when it was made."""
    for golden in told.golden:
        if set(golden.scores) != set(told.categories):
            reason = (
                f"golden scores name {sorted(golden.scores)}, the categories are {sorted(told.categories)}"
            )
            raise BundleError(folder, reason, REBUILD)
    try:
        scores = classifier.classify([golden.text for golden in told.golden]).probability
    except Exception as error:  # onnxruntime has no common exception type
        raise BundleError(folder, f"the model fails on golden texts ({str(error)[:300]})", REBUILD) from error
    for golden, row in zip(told.golden, scores, strict=True):
        for category, score in zip(told.categories, row, strict=True):
            expected = golden.scores[category]
            if not math.isfinite(score) or abs(float(score) - expected) > GOLDEN_TOLERANCE:
                reason = f"golden text {golden.text[:40]!r} scores {score:.6f} for {category}, expected {expected:.6f}"
                raise BundleError(folder, reason, REBUILD)


def _elements(dims: Any) -> int:
    """How many elements a shape has; a huge number where a side is negative, but for the -1 and 0 of a Reshape."""
    count = 1
    for side in dims:
        count *= max(1, side) if side >= -1 else MAX_MODEL_BYTES + 1
    return count


def _tensors(message: Any) -> Iterator[onnx.TensorProto]:
    """Every tensor in a model, those in attributes, subgraphs, functions and sparse tensors included."""
    if isinstance(message, onnx.TensorProto):
        yield message
        return
    for field, value in message.ListFields():
        if field.message_type is not None:
            for part in value if field.is_repeated else [value]:
                yield from _tensors(part)
