"""manifest.json: what a bundle says of itself."""

from typing import Annotated, Any, Literal

import msgspec

FORMAT = "bundle.v1"


class Golden(msgspec.Struct, frozen=True):
    """A text of ours with the score of each category that the model gave it when it was made."""

    text: str
    scores: dict[str, float]


class TokensInput(msgspec.Struct, frozen=True, kw_only=True):
    """How a model of tokens is asked, and what its logits mean."""

    max_length: Annotated[int, msgspec.Meta(ge=1, le=8192)]  # tokens, special ones included; the rest is cut
    activation: Literal["sigmoid", "softmax"]  # sigmoid: categories do not exclude each other
    columns: list[int] = []  # which logit is which category; empty: all, in their order


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a bundle says of itself; unknown fields are ignored, so that later builds may add some."""

    format: str
    name: str
    model_version: str  # name and the first 12 digits of content_hash
    content_hash: str  # SHA-256 of model.onnx, hex
    input: str  # "bytes": byte n-grams, uint8 [batch, length]; "tokens": tokenizer.json, input_ids [batch, length]
    categories: list[str]  # in the order of the model's outputs
    normalisation: (
        int  # NORMALISATION_VERSION it was trained with; 0, for tokens only: none, the tokenizer does it
    )
    golden: list[Golden]
    tokens: TokensInput | None = None  # only with input "tokens"
    files: dict[str, str] = {}  # what else the folder holds: name to SHA-256
    calibration: str = "none"  # how probabilities were calibrated, and on what
    operating_points: list[dict[str, Any]] = []  # certified thresholds; none yet
    lineage: dict[str, Any] = {}  # what it was trained on
    metrics: dict[str, Any] = {}  # how good it was on what it never saw


def decode(data: bytes) -> Manifest:
    """Raises msgspec.DecodeError or msgspec.ValidationError, which name the place."""
    return msgspec.json.decode(data, type=Manifest)


def encode(manifest: Manifest) -> bytes:
    """Indented JSON with sorted keys: the same manifest is the same bytes."""
    return msgspec.json.format(msgspec.json.encode(manifest, order="sorted"), indent=2) + b"\n"
