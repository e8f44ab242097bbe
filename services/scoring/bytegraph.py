"""A linear model over hashed byte n-grams as one ONNX graph: bytes in, calibrated probabilities and disagreement out.

p = sigmoid(curve(W.x + b)), x as in `services.scoring.bytegram`. Hashing, gathering, scaling, calibration and the
committee are all in the graph, so that training and serving cannot drift apart and onnxruntime alone serves it. What is
stored small (weights as float16, the committee as codes) is widened when the graph is loaded (constant folding), which
costs nothing per item.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from services.scoring.bytegram import BITS, GOLDEN, MULTIPLIER, ORDERS, ROWS, Floats
from services.scoring.calibration import Curves
from services.scoring.committee import CODEBOOK, Heads, from_codes, to_codes


@dataclass(frozen=True)
class Parts:
    """What a graph is made of: weights [2**18, categories], bias [categories], a committee, calibration curves."""

    weights: Floats
    bias: Floats
    heads: Heads | None = None
    curves: Curves | None = None


def graph(
    weights: Floats, bias: Floats, heads: Heads | None = None, curves: Curves | None = None
) -> onnx.ModelProto:
    """The model: bytes [batch, length] to probability and, with heads, disagreement, both [batch, categories]."""
    categories = len(bias)
    if weights.shape != (ROWS, categories):
        raise ValueError(f"weights must be [{ROWS}, {categories}], not {list(weights.shape)}")
    build = _GraphBuilder()
    stored = weights.astype(np.float16)
    build.constant("weights", stored)
    build.constant("bias", bias.astype(np.float32))
    for name, value in (("axis", [1]), ("first", [0]), ("but_last", [-1]), ("end", [np.iinfo(np.int64).max])):
        build.constant(name, np.array(value, np.int64))
    table = build.node("Cast", ["weights"], "table", to=TensorProto.FLOAT)
    offsets = "bias"
    if heads is not None:
        table, offsets = _with_heads(build, table, stored.astype(np.float32), heads)
    margins = build.node("Add", [_scaled_sums(build, table), offsets], "margins")
    if heads is not None:
        shape = build.constant("members", np.array([0, len(heads.bias) + 1, categories], np.int64))
        margins = build.node("Reshape", [margins, shape], "by_member")
    if curves is not None:
        margins = _calibrated(build, margins, curves)
    if heads is None:
        build.node("Sigmoid", [margins], "probability")
        return build.model(categories, ["probability"])
    chances = build.node("Sigmoid", [margins], "chances")
    build.constant("one", np.array([1], np.int64))
    model = build.node("Slice", [chances, "first", "one", "axis"], "model")
    build.node("Squeeze", [model, "axis"], "probability")
    committee = build.node("Slice", [chances, "one", "end", "axis"], "committee")
    mean = build.node("ReduceMean", [committee], "mean", axes=[1], keepdims=1)
    apart = build.node("Sub", [committee, mean], "apart")
    squared = build.node("Mul", [apart, apart], "squared")
    build.node(
        "Sqrt", [build.node("ReduceMean", [squared], "variance", axes=[1], keepdims=0)], "disagreement"
    )
    return build.model(categories, ["probability", "disagreement"])


def parts(model: bytes) -> Parts:
    """What a byte n-gram graph was made of, to train on from. Raises ValueError for another kind of graph."""
    found = {tensor.name: tensor for tensor in onnx.load_model_from_string(model).graph.initializer}
    if "weights" not in found or "bias" not in found:
        raise ValueError("not a byte n-gram graph: it has no initializers 'weights' and 'bias'")
    arrays = {
        name: numpy_helper.to_array(found[name])
        for name in ("weights", "bias", "codes", "head_bias", "knots", "gains", "slopes", "shifts")
        if name in found
    }
    weights, bias = arrays["weights"].astype(np.float32), arrays["bias"].astype(np.float32)
    if weights.shape != (ROWS, len(bias)):
        raise ValueError(
            f"not a byte n-gram graph: weights are {list(weights.shape)}, not [{ROWS}, {len(bias)}]"
        )
    heads = curves = None
    if "codes" in arrays:
        heads = from_codes(arrays["codes"], arrays["head_bias"], weights)
    if "knots" in arrays:
        curves = Curves(arrays["knots"], arrays["gains"], arrays["slopes"], arrays["shifts"])
    return Parts(weights, bias, heads, curves)


def _with_heads(build: "_GraphBuilder", table: str, weights: Floats, heads: Heads) -> tuple[str, str]:
    """The table of all members, the model first, and their bias: [2**18, members * categories]."""
    count = len(heads.bias)
    build.constant("codes", to_codes(heads, weights))
    build.constant("codebook", CODEBOOK)
    build.constant("head_bias", heads.bias.reshape(-1).astype(np.float32))
    index = build.node("Cast", ["codes"], "index", to=TensorProto.INT32)
    apart = build.node("Gather", ["codebook", index], "differences", axis=0)
    own = build.node(
        "Add", [build.node("Concat", [table] * count, "model_weights", axis=1), apart], "head_weights"
    )
    return (
        build.node("Concat", [table, own], "all_weights", axis=1),
        build.node("Concat", ["bias", "head_bias"], "all_bias", axis=0),
    )


def _scaled_sums(build: "_GraphBuilder", table: str) -> str:
    """Sums of the table's rows over all n-grams, divided by the root of the length: [batch, columns].

    A byte and the pair that ends with it are looked up as one, in a table of their own that is made of the other as the
    graph is loaded: to fetch rows is most of what the model costs.
    """
    build.constant("multiplier", np.array(MULTIPLIER, np.uint32))
    build.constant("golden", np.array(GOLDEN, np.uint32))
    build.constant("shift", np.array(32 - BITS, np.uint32))
    build.constant("zero", np.array(0, np.int32))
    x = build.node("Cast", ["bytes"], "x", to=TensorProto.UINT32)
    signed = build.node("Cast", ["bytes"], "signed", to=TensorProto.INT32)
    is_real = build.node("Greater", [signed, "zero"], "is_real")
    real = build.node("Cast", [is_real], "real", to=TensorProto.FLOAT)  # 0 where padded
    length = build.node("ReduceSum", [real, "axis"], "length", keepdims=1)
    sums = [_sum(build, _pairs(build, table), _pair(build, signed), real, "pairs")]
    h = x
    for n in range(2, ORDERS + 1):
        build.constant(f"skip{n}", np.array([n - 1], np.int64))
        prefix = build.node("Slice", [h, "first", "but_last", "axis"], f"prefix{n}")
        byte = build.node("Slice", [x, f"skip{n}", "end", "axis"], f"byte{n}")
        h = build.node("Add", [build.node("Mul", [prefix, "multiplier"], f"moved{n}"), byte], f"h{n}")
        if n > 2:
            counted = build.node("Slice", [real, f"skip{n}", "end", "axis"], f"counted{n}")
            sums.append(_sum(build, table, _row(build, h, n), counted, str(n)))
    total = build.node("Sum", sums, "total")
    return build.node("Div", [total, build.node("Sqrt", [length], "root")], "scaled")


def _row(build: "_GraphBuilder", h: str, order: int) -> str:
    """The row of the table for n-grams of an order with these hashes."""
    number = build.constant(f"order{order}", np.array(order, np.uint32))
    ordered = build.node("Add", [h, number], f"ordered{order}")
    mixed = build.node("Mul", [ordered, "golden"], f"mixed{order}")
    cut = build.node("BitShift", [mixed, "shift"], f"cut{order}", direction="RIGHT")
    return build.node("Cast", [cut], f"row{order}", to=TensorProto.INT32)


def _sum(build: "_GraphBuilder", table: str, rows: str, counted: str, name: str) -> str:
    """The sum of those rows of a table that are `counted`: [batch, columns]."""
    gathered = build.node("Gather", [table, rows], f"gathered_{name}", axis=0)
    mask = build.node("Unsqueeze", [counted, "axis"], f"mask_{name}")
    summed = build.node("MatMul", [mask, gathered], f"summed_{name}")
    return build.node("Squeeze", [summed, "axis"], f"sum_{name}")


def _pairs(build: "_GraphBuilder", table: str) -> str:
    """What a byte and the pair that ends with it add: [256 * 256, columns]. Before the first byte stands a 0, which no
    text has, so there is no pair.
    """
    every = np.arange(256, dtype=np.uint32)
    build.constant("every_byte", every)
    first = build.node("Mul", [build.constant("every_first", every[:, None]), "multiplier"], "every_moved")
    flat = build.constant("flat", np.array([-1], np.int64))
    pairs = build.node("Reshape", [build.node("Add", [first, "every_byte"], "by_first"), flat], "every_pair")
    alone = build.node("Gather", [table, _row(build, "every_byte", 1)], "bytes_alone", axis=0)
    build.constant("firsts", np.array([256, 1], np.int64))
    both = build.node("Gather", [table, _row(build, pairs, 2)], "with_none", axis=0)
    build.constant("is_pair", np.repeat(every > 0, 256).astype(np.float32)[:, None])
    counted = build.node("Mul", [both, "is_pair"], "pairs_alone")
    return build.node("Add", [build.node("Tile", [alone, "firsts"], "each_byte"), counted], "pairs")


def _pair(build: "_GraphBuilder", signed: str) -> str:
    """The row in `_pairs` of every byte and the one before it: [batch, length]."""
    build.constant("one_before", np.array([0, 1, 0, -1], np.int64))
    build.constant("bytes_there_are", np.array(256, np.int32))
    before = build.node("Pad", [signed, "one_before", "zero"], "before", mode="constant")
    return build.node("Add", [build.node("Mul", [before, "bytes_there_are"], "high"), signed], "pair")


def _calibrated(build: "_GraphBuilder", margins: str, curves: Curves) -> str:
    """slope * z + shift + sum of gains * max(0, z - knot), for margins z [..., categories]."""
    for name, value in zip(("knots", "gains", "slopes", "shifts"), curves, strict=True):
        build.constant(name, value.astype(np.float32))
    build.constant("inner", np.array([-1], np.int64))
    beyond = build.node("Sub", [build.node("Unsqueeze", [margins, "inner"], "each"), "knots"], "beyond")
    bent = build.node("Mul", [build.node("Relu", [beyond], "past"), "gains"], "bent")
    bends = build.node("ReduceSum", [bent, "inner"], "bends", keepdims=0)
    line = build.node("Add", [build.node("Mul", [margins, "slopes"], "sloped"), "shifts"], "line")
    return build.node("Add", [line, bends], "calibrated")


class _GraphBuilder:
    def __init__(self) -> None:
        self.initializers: list[TensorProto] = []
        self.nodes: list[onnx.NodeProto] = []

    def constant(self, name: str, value: NDArray[Any]) -> str:
        self.initializers.append(numpy_helper.from_array(value, name))
        return name

    def node(self, operator: str, inputs: Sequence[str], output: str, **attributes: Any) -> str:
        self.nodes.append(helper.make_node(operator, list(inputs), [output], **attributes))
        return output

    def model(self, categories: int, outputs: Sequence[str]) -> onnx.ModelProto:
        given = helper.make_tensor_value_info("bytes", TensorProto.UINT8, ["batch", "length"])
        made = [helper.make_tensor_value_info(o, TensorProto.FLOAT, ["batch", categories]) for o in outputs]
        body = helper.make_graph(self.nodes, "bytegram", [given], made, self.initializers)
        model = helper.make_model(
            body, opset_imports=[helper.make_opsetid("", 17)], producer_name="sluicegate"
        )
        model.ir_version = 10
        onnx.checker.check_model(model)
        return model
