"""Bundles: a folder with model.onnx and manifest.json, verified before it serves.

A bundle of a byte n-gram model may also hold precision.npy, how firmly each weight is known (see
`services.retrainer.core.fitting`): serving does not need it, training on from the model does. A bundle of a model of
tokens holds tokenizer.json.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import onnx

from services.scoring import bytegram, bytegraph, manifest, operating_points
from services.scoring.bytegraph import Parts
from services.scoring.classify import ByteClassifier
from services.scoring.folder import Read, TooLarge, digest, reader, write
from services.scoring.manifest import Golden, Manifest, TokensInput
from services.scoring.normalise import NORMALISATION_VERSION
from services.scoring.operating_points import OperatingPoint
from services.scoring.scores import Classifier, ModelError
from services.scoring.tokens import TokenClassifier
from services.scoring.verification import (
    MANIFEST,
    MAX_MODEL_BYTES,
    MODEL,
    PRECISION,
    REBUILD,
    TOKENIZER,
    BundleError,
    check_digests,
    check_golden,
    check_graph,
    check_manifest,
)

__all__ = ["MANIFEST", "MODEL", "PRECISION", "TOKENIZER", "Bundle", "BundleError", "load", "save"]

BESIDE = ("MODEL_CARD.md", operating_points.FILE)  # no part of the bundle, but they go where it goes

# Made up by us and harmless: they pin what the model answers, not what it is good at.
GOLDEN_TEXTS = (
    "",
    "Have a nice day, see you at lunch",
    "WIN a FREE prize now! Text WIN to 80082 to claim",
    "you are a stupid idiot and nobody likes you",
    "y o u  are a stuuuupid id1оt, sh\u200bame on you",
    "Ünïcödé ｗｉｄｅ text,\u00a0spaces\tand\nlines 🙂",
    "a long text goes on and on, line after line. " * 40,
)


@dataclass(frozen=True)
class Bundle:
    """A verified bundle. `classifier` serves it; `parts` are what a training starts from; `files` is all of it."""

    folder: Path | str  # or URL
    manifest: Manifest
    files: Mapping[str, bytes]
    classifier: Classifier
    operating_points: tuple[OperatingPoint, ...] = ()  # thresholds certified for it, from a file beside it

    @property
    def model_version(self) -> str:
        return self.manifest.model_version

    @property
    def categories(self) -> tuple[str, ...]:
        return self.classifier.categories

    @cached_property
    def parts(self) -> Parts:
        """Weights, bias, committee and curves; ValueError where it is no byte n-gram graph."""
        return bytegraph.parts(self.files[MODEL])

    @property
    def linear(self) -> bool:
        """Whether the model is a linear one of byte n-grams, which can be explained exactly and trained on."""
        return self.manifest.input == "bytes"

    @cached_property
    def precision(self) -> bytegram.Floats:
        """How firmly each weight and, in the last row, the bias is known: [2**18 + 1, categories], 0 where unknown."""
        shape = (bytegram.ROWS + 1, len(self.categories))
        if PRECISION not in self.manifest.files:
            return np.zeros(shape, np.float32)
        stored = np.load(BytesIO(self.files[PRECISION]), allow_pickle=False).astype(np.float32)
        if stored.shape != shape or not (stored >= 0).all():
            raise BundleError(
                self.folder, f"{PRECISION} is {stored.shape}, not {shape} of values >= 0", REBUILD
            )
        return np.asarray(stored, np.float32)

    def copy_to(self, folder: Path) -> None:
        """Write the bundle as it was verified into a folder; the manifest comes last."""
        folder.mkdir(parents=True, exist_ok=True)
        for name in sorted(self.files, key=lambda name: name == MANIFEST):
            write(folder / name, self.files[name])


def load(folder: Path | str) -> Bundle:
    """The verified bundle in a folder or at an fsspec URL. Raises BundleError for whatever is wrong with it."""
    folder = folder if "://" in str(folder) else Path(folder)
    try:
        read = reader(folder)
    except (ValueError, ImportError) as error:
        raise BundleError(
            folder, str(error), "See which URLs fsspec knows, and install what it names"
        ) from error
    files = {MANIFEST: _read(folder, read, MANIFEST)}
    try:
        told = manifest.decode(files[MANIFEST])
    except msgspec.DecodeError as error:
        raise BundleError(folder, f"{MANIFEST}: {error}", REBUILD) from error
    files[MODEL] = _read(folder, read, MODEL)
    check_digests(folder, msgspec.structs.replace(told, files={}), files)
    check_manifest(folder, told)
    files |= {name: _read(folder, read, name) for name in told.files}
    check_digests(folder, told, files)
    check_graph(folder, files[MODEL])
    try:
        classifier = _classifier(told, files)
    except ModelError as error:
        raise BundleError(folder, str(error), REBUILD) from error
    check_golden(folder, told, classifier)
    for name in BESIDE:
        with suppress(OSError):  # no bundle needs them
            files[name] = read(name, MAX_MODEL_BYTES)
    return with_points(Bundle(folder, told, files, classifier))


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
    tokenizer: bytes | None = None,
    tokens: TokensInput | None = None,
    normalisation: int = NORMALISATION_VERSION,
    calibration: str = "none",
    lineage: dict[str, Any] | None = None,
    metrics: dict[str, Any] | None = None,
) -> Manifest:
    """Write a bundle and return its manifest: of tokens where `tokenizer` and `tokens` are given, else of bytes.

    The manifest comes last, so that a half-written folder has none. Raises ModelError where the parts do not fit.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    files = {MODEL: model.SerializeToString(deterministic=True)}
    if precision is not None:
        files[PRECISION] = _npy(precision)
    if tokenizer is not None:
        files[TOKENIZER] = tokenizer
    content_hash = digest(files[MODEL])
    told = Manifest(
        format=manifest.FORMAT,
        name=name,
        model_version=f"{name}-{content_hash[:12]}",
        content_hash=content_hash,
        input="bytes" if tokens is None else "tokens",
        categories=list(categories),
        normalisation=normalisation,
        golden=[],
        tokens=tokens,
        files={other: digest(data) for other, data in files.items() if other != MODEL},
        calibration=calibration,
        lineage=lineage or {},
        metrics=metrics or {},
    )
    scores = _classifier(told, files).classify(GOLDEN_TEXTS).probability
    golden = [
        Golden(text, {c: round(float(p), 6) for c, p in zip(categories, row, strict=True)})
        for text, row in zip(GOLDEN_TEXTS, scores, strict=True)
    ]
    told = msgspec.structs.replace(told, golden=golden)
    files[MANIFEST] = manifest.encode(told)
    for other, data in files.items():
        write(folder / other, data)
    return told


def _classifier(told: Manifest, files: Mapping[str, bytes]) -> Classifier:
    version, categories = told.model_version, told.categories
    if told.tokens is None:
        return ByteClassifier(files[MODEL], version, categories)
    normalised = told.normalisation != 0
    return TokenClassifier(files[MODEL], files[TOKENIZER], version, categories, told.tokens, normalised)


def _npy(values: bytegram.Floats) -> bytes:
    buffer = BytesIO()
    small = np.minimum(values, np.finfo(np.float16).max).astype(np.float16)
    np.save(buffer, small, allow_pickle=False)
    return buffer.getvalue()


def _read(folder: Path | str, read: Read, name: str) -> bytes:
    try:
        return read(name, MAX_MODEL_BYTES)
    except TooLarge as error:
        raise BundleError(folder, str(error), REBUILD) from error
    except OSError as error:
        reason = f"{name} cannot be read ({error.strerror or error})"
        raise BundleError(folder, reason, f"A bundle is a folder with {MODEL} and {MANIFEST}") from error
