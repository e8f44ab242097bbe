"""Bundles: a folder with model.onnx and manifest.json, verified before it serves.

A bundle of a byte n-gram model may also hold precision.npy, how firmly each weight is known (see
`services.retrainer.core.fitting`): serving does not need it, training on from the model does.

BundleError (ValueError): the folder does not hold a bundle that may serve; says why and what to do.
"""

import math
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import onnx

from services.scoring import bytegram, manifest, operating_points
from services.scoring.classify import Classifier, ModelError
from services.scoring.manifest import Golden, Manifest
from services.scoring.normalise import NORMALISATION_VERSION
from services.scoring.operating_points import OperatingPoint

MODEL, MANIFEST, PRECISION = "model.onnx", "manifest.json", "precision.npy"
MAX_MODEL_BYTES = 512 * 1024 * 1024
MAX_CATEGORIES = 256
GOLDEN_TOLERANCE = 1e-3  # float32 sums differ between processors by about 1e-6

# Made up by us and harmless: they pin what the model answers, not what it is good at.
GOLDEN_TEXTS = (
    "",
    "Have a nice day, see you at lunch",
    "WIN a FREE prize now! Text WIN to 80082 to claim",
    "you are a stupid idiot and nobody likes you",
    "Ünïcödé ｗｉｄｅ text,\u00a0spaces\tand\nlines 🙂",
    "a long text goes on and on, line after line. " * 40,
)


class BundleError(ValueError):
    """A bundle that must not serve. The message carries the folder, the reason and what to do."""

    def __init__(self, folder: Path | str, reason: str, advice: str) -> None:
        super().__init__(f"bundle {folder} refused: {reason}. {advice}")
        self.reason = reason


@dataclass(frozen=True)
class Bundle:
    """A verified bundle. `classifier` serves it; `parameters` are the weights to start a training from."""

    folder: Path
    manifest: Manifest
    model: bytes
    classifier: Classifier
    operating_points: tuple[OperatingPoint, ...] = ()  # thresholds certified for it, from a file beside it

    @property
    def model_version(self) -> str:
        return self.manifest.model_version

    @property
    def categories(self) -> tuple[str, ...]:
        return self.classifier.categories

    @cached_property
    def parameters(self) -> tuple[bytegram.Floats, bytegram.Floats]:
        """Weights [2**18, categories] and bias [categories]; ValueError where it is no byte n-gram graph."""
        return bytegram.parameters(self.model)

    @cached_property
    def precision(self) -> bytegram.Floats:
        """How firmly each weight and, in the last row, the bias is known: [2**18 + 1, categories], 0 where unknown."""
        shape = (bytegram.ROWS + 1, len(self.categories))
        if PRECISION not in self.manifest.files:
            return np.zeros(shape, np.float32)
        stored = np.load(self.folder / PRECISION, allow_pickle=False).astype(np.float32)
        if stored.shape != shape or not (stored >= 0).all():
            raise BundleError(
                self.folder, f"{PRECISION} is {stored.shape}, not {shape} of values >= 0", _REBUILD
            )
        return np.asarray(stored, np.float32)


def load(folder: Path | str) -> Bundle:
    """The verified bundle in `folder`. Raises BundleError for whatever is wrong with it."""
    folder = Path(folder)
    told = _read_manifest(folder)
    model = _read(folder, MODEL)
    if len(model) > MAX_MODEL_BYTES:
        raise BundleError(folder, f"{MODEL} has {len(model)} bytes, more than {MAX_MODEL_BYTES}", _REBUILD)
    found = sha256(model).hexdigest()
    if found != told.content_hash:
        reason = f"{MODEL} has SHA-256 {found}, the manifest says {told.content_hash}"
        raise BundleError(folder, reason, "Copy the folder again from where it was made")
    _check_manifest(folder, told)
    _check_files(folder, told)
    _check_graph(folder, model)
    try:
        classifier = Classifier(model, told.model_version, told.categories)
    except ModelError as error:
        raise BundleError(folder, str(error), _REBUILD) from error
    _check_golden(folder, told, classifier)
    return with_points(Bundle(folder, told, model, classifier))


def with_points(bundle: Bundle) -> Bundle:
    """The bundle with the operating points that lie beside it now."""
    return replace(
        bundle, operating_points=operating_points.read(bundle.folder, bundle.manifest.content_hash)
    )


def save(
    folder: Path | str,
    model: onnx.ModelProto,
    name: str,
    categories: Sequence[str],
    *,
    precision: bytegram.Floats | None = None,
    calibration: str = "none",
    lineage: dict[str, Any] | None = None,
    metrics: dict[str, Any] | None = None,
) -> Manifest:
    """Write a bundle and return its manifest. The manifest comes last, so that a half-written folder has none."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    data = model.SerializeToString(deterministic=True)
    content_hash = sha256(data).hexdigest()
    version = f"{name}-{content_hash[:12]}"
    scores = Classifier(data, version, categories).classify(GOLDEN_TEXTS)
    golden = [
        Golden(text, {c: round(float(p), 6) for c, p in zip(categories, row, strict=True)})
        for text, row in zip(GOLDEN_TEXTS, scores, strict=True)
    ]
    files = {}
    if precision is not None:
        buffer = BytesIO()
        np.save(
            buffer, np.minimum(precision, np.finfo(np.float16).max).astype(np.float16), allow_pickle=False
        )
        files[PRECISION] = sha256(buffer.getvalue()).hexdigest()
        _write(folder / PRECISION, buffer.getvalue())
    told = Manifest(
        format=manifest.FORMAT,
        name=name,
        model_version=version,
        content_hash=content_hash,
        input="bytes",
        categories=list(categories),
        normalisation=NORMALISATION_VERSION,
        golden=golden,
        files=files,
        calibration=calibration,
        lineage=lineage or {},
        metrics=metrics or {},
    )
    _write(folder / MODEL, data)
    _write(folder / MANIFEST, manifest.encode(told))
    return told


_REBUILD = "Build the bundle again with `sluicegate model build-starter` or `sluicegate model retrain`"


def _read(folder: Path, name: str) -> bytes:
    try:
        return (folder / name).read_bytes()
    except OSError as error:
        reason = f"{name} cannot be read ({error.strerror})"
        raise BundleError(folder, reason, f"A bundle is a folder with {MODEL} and {MANIFEST}") from error


def _write(path: Path, data: bytes) -> None:
    """Whole or not at all: written beside, synced, renamed."""
    beside = path.with_name(path.name + ".part")
    with beside.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def _read_manifest(folder: Path) -> Manifest:
    try:
        return manifest.decode(_read(folder, MANIFEST))
    except msgspec.DecodeError as error:
        raise BundleError(folder, f"{MANIFEST}: {error}", _REBUILD) from error


def _check_manifest(folder: Path, told: Manifest) -> None:
    if told.format != manifest.FORMAT:
        raise BundleError(folder, f"format is {told.format!r}, not {manifest.FORMAT!r}", _REBUILD)
    if not re.fullmatch(r"[a-z0-9-]{1,60}", told.name):
        raise BundleError(
            folder, f"name {told.name!r} is not [a-z0-9-]{{1,60}}", "Rename it and build it again"
        )
    version = f"{told.name}-{told.content_hash[:12]}"
    if told.model_version != version:
        raise BundleError(folder, f"model_version is {told.model_version!r}, not {version!r}", _REBUILD)
    if told.input != "bytes":
        raise BundleError(
            folder, f"input kind {told.input!r} is not known", "This build serves input kind 'bytes'"
        )
    categories = told.categories
    if not 0 < len(categories) <= MAX_CATEGORIES or len(set(categories)) != len(categories):
        reason = f"categories must be 1 to {MAX_CATEGORIES} different names, not {categories[:9]}"
        raise BundleError(folder, reason, _REBUILD)
    for category in categories:
        if not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", category):
            raise BundleError(folder, f"category {category!r} is not [a-z][a-z0-9_]{{0,39}}", _REBUILD)
    if told.normalisation != NORMALISATION_VERSION:
        reason = (
            f"it was trained with normalisation {told.normalisation}, this build has {NORMALISATION_VERSION}"
        )
        raise BundleError(folder, reason, _REBUILD)
    if not told.golden:
        raise BundleError(folder, "it has no golden texts", _REBUILD)


def _check_files(folder: Path, told: Manifest) -> None:
    for name, expected in told.files.items():
        if name != PRECISION:
            raise BundleError(
                folder, f"file {name!r} is not known", f"Besides its model it may hold {PRECISION}"
            )
        found = sha256(_read(folder, name)).hexdigest()
        if found != expected:
            reason = f"{name} has SHA-256 {found}, the manifest says {expected}"
            raise BundleError(folder, reason, "Copy the folder again from where it was made")


def _check_graph(folder: Path, data: bytes) -> None:
    try:
        model = onnx.load_model_from_string(data)
    except Exception as error:  # protobuf's own error, whose module has no types
        raise BundleError(folder, f"{MODEL} is not ONNX ({error})", _REBUILD) from error
    for tensor in _tensors(model):
        if tensor.data_location == onnx.TensorProto.EXTERNAL or tensor.external_data:
            reason = f"{MODEL} refers to external data (tensor {tensor.name!r})"
            raise BundleError(folder, reason, "Save the model with its weights inside")


def _tensors(message: Any) -> Iterator[onnx.TensorProto]:
    """Every tensor in a model, those in attributes, subgraphs, functions and sparse tensors included."""
    if isinstance(message, onnx.TensorProto):
        yield message
        return
    for field, value in message.ListFields():
        if field.message_type is not None:
            for part in value if field.is_repeated else [value]:
                yield from _tensors(part)


def _check_golden(folder: Path, told: Manifest, classifier: Classifier) -> None:
    for golden in told.golden:
        if set(golden.scores) != set(told.categories):
            reason = (
                f"golden scores name {sorted(golden.scores)}, the categories are {sorted(told.categories)}"
            )
            raise BundleError(folder, reason, _REBUILD)
    scores = classifier.classify([golden.text for golden in told.golden])
    for golden, row in zip(told.golden, scores, strict=True):
        for category, score in zip(told.categories, row, strict=True):
            expected = golden.scores[category]
            if not math.isfinite(score) or abs(float(score) - expected) > GOLDEN_TOLERANCE:
                reason = f"golden text {golden.text[:40]!r} scores {score:.6f} for {category}, expected {expected:.6f}"
                raise BundleError(folder, reason, _REBUILD)
