"""A small classifier of tokens, built here: words have points, the mean of a text's points are its logits."""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.normalizers import Lowercase
from tokenizers.pre_tokenizers import Whitespace

from services.scoring import bundle
from services.scoring.manifest import Manifest, TokensInput

POINTS = {
    "[PAD]": (0, 0, 0),
    "[UNK]": (0, -4, -4),
    "idiot": (-8, 9, 0),
    "stupid": (-6, 8, 0),
    "free": (-4, 0, 6),
    "prize": (-6, 0, 9),
}
CATEGORIES = ("toxicity", "spam")  # the first logit is of neither


def tokenizer() -> Tokenizer:
    made = Tokenizer(WordLevel({word: i for i, word in enumerate(POINTS)}, unk_token="[UNK]"))
    made.normalizer = Lowercase()
    made.pre_tokenizer = Whitespace()
    return made


def model(
    columns: tuple[int, ...] = (0, 1, 2), inputs: tuple[str, ...] = ("input_ids", "attention_mask")
) -> onnx.ModelProto:
    """Gather, mean over the mask, linear (here: the identity) to logits."""
    points = np.array(list(POINTS.values()), np.float32)[:, list(columns)]
    nodes = [
        helper.make_node("Gather", ["points", "input_ids"], ["each"]),
        helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["mask", "last"], ["column"]),
        helper.make_node("Mul", ["each", "column"], ["masked"]),
        helper.make_node("ReduceSum", ["masked", "first"], ["sum"], keepdims=0),
        helper.make_node("ReduceSum", ["mask", "first"], ["count"], keepdims=1),
        helper.make_node("Div", ["sum", "count"], ["mean"]),
        helper.make_node("MatMul", ["mean", "linear"], ["logits"]),
    ]
    if "token_type_ids" in inputs:
        nodes.append(helper.make_node("Identity", ["token_type_ids"], ["unused"]))
    constants = {
        "points": points,
        "linear": np.eye(len(columns), dtype=np.float32),
        "last": np.array([2]),
        "first": np.array([1]),
    }
    body = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "length"]) for name in inputs],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", len(columns)])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    made = helper.make_model(body, opset_imports=[helper.make_opsetid("", 17)])
    made.ir_version = 10
    return made


def save(folder: Path, told: TokensInput | None = None, **more: object) -> Manifest:
    """A bundle of it."""
    told = told or TokensInput(max_length=16, activation="softmax", columns=[1, 2])
    given = {"tokenizer": tokenizer().to_str().encode(), "tokens": told, "normalisation": 0} | more
    return bundle.save(folder, given.pop("model", None) or model(), "tiny", CATEGORIES, **given)  # type: ignore[arg-type]
