"""A linear classifier over hashed byte n-grams that lives in one ONNX graph, and the same features for training.

x = counts of hashed 1..5-grams of the bytes / sqrt(bytes);  p = sigmoid(W.x + b).
The hash is multiplicative, prefix by prefix (h[n] = h[n-1] * MULTIPLIER + byte), mixed with the order and cut to
2**BITS rows: the hashing trick of Weinberger et al. 2009. Hashing, gathering, scaling and sigmoid are all in the
graph, so that training and serving cannot drift apart and onnxruntime alone serves it. Weights are stored as
float16 and widened when the graph is loaded (constant folding), which costs nothing per item.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from scipy import sparse

from services.scoring.normalise import normalise

BITS = 18
ROWS = 1 << BITS
ORDERS = 5
MULTIPLIER = 1_000_003
GOLDEN = 2_654_435_769  # 2**32 / golden ratio: Knuth's multiplicative hashing
WINDOW_BYTES = 512
MAX_WINDOWS = 8

Floats = NDArray[np.float32]


def encode(text: str) -> bytes:
    """UTF-8 bytes of the normalised text between two spaces; what cannot be encoded becomes '?'."""
    return f" {normalise(text)} ".encode("utf-8", "replace")


def window_offsets(length: int) -> list[int]:
    """Where the windows of a row of `length` bytes begin.

    They cover a row of up to 8 windows (4 KiB) without a gap; a longer one is sampled at even distances, its
    head and tail always among them, so that the cost of an item is bounded.
    """
    if length <= WINDOW_BYTES:
        return [0]
    count = min(MAX_WINDOWS, -(-length // WINDOW_BYTES))
    last = length - WINDOW_BYTES
    return [last * i // (count - 1) for i in range(count)]


def windows(row: bytes) -> list[bytes]:
    """The pieces of at most WINDOW_BYTES that a row is scored in."""
    return [row[start : start + WINDOW_BYTES] for start in window_offsets(len(row))]


def pack(rows: Sequence[bytes]) -> NDArray[np.uint8]:
    """Rows of bytes as one zero-padded uint8 array [rows, longest]; never narrower than the longest n-gram."""
    width = max(ORDERS, max(map(len, rows), default=0))
    joined = b"".join([row.ljust(width, b"\0") for row in rows])
    return np.frombuffer(joined, np.uint8).reshape(len(rows), width)


def hash_ngrams(packed: NDArray[np.uint8]) -> list[NDArray[np.int64]]:
    """The weight row of every n-gram: for n = 1..5 an array [batch, width - n + 1], as the graph computes it."""
    x = packed.astype(np.uint32)
    h = x
    hashed = []
    with np.errstate(over="ignore"):
        for n in range(1, ORDERS + 1):
            if n > 1:
                h = h[:, :-1] * np.uint32(MULTIPLIER) + x[:, n - 1 :]
            mixed = ((h + np.uint32(n)) * np.uint32(GOLDEN)) >> np.uint32(32 - BITS)
            hashed.append(mixed.astype(np.int64))
    return hashed


def features(texts: Sequence[str], block: int = 1000) -> sparse.csr_matrix:
    """The features of the first window of each text, float32 CSR [texts, 2**18]: what the graph sees, to train on."""
    blocks = [_features(texts[start : start + block]) for start in range(0, len(texts), block)]
    if not blocks:
        return sparse.csr_matrix((0, ROWS), dtype=np.float32)
    return sparse.csr_matrix(sparse.vstack(blocks, format="csr"))


def _features(texts: Sequence[str]) -> sparse.csr_matrix:
    packed = pack([encode(text)[:WINDOW_BYTES] for text in texts])
    rows: list[NDArray[np.int64]] = []
    columns: list[NDArray[np.int64]] = []
    for n, hashed in enumerate(hash_ngrams(packed), start=1):
        real = packed[:, n - 1 :] > 0
        rows.append(np.nonzero(real)[0])
        columns.append(hashed[real])
    row, column = np.concatenate(rows), np.concatenate(columns)
    scale = (1 / np.sqrt((packed > 0).sum(axis=1))).astype(np.float32)
    counts = sparse.csr_matrix((scale[row], (row, column)), shape=(len(packed), ROWS))
    counts.sum_duplicates()
    return counts


def graph(weights: Floats, bias: Floats) -> onnx.ModelProto:
    """Weights [2**18, labels] and bias [labels] as ONNX: bytes [batch, length] to probability [batch, labels]."""
    if weights.shape != (ROWS, len(bias)):
        raise ValueError(f"weights must be [{ROWS}, {len(bias)}], not {list(weights.shape)}")
    build = _GraphBuilder()
    build.constant("weights", weights.astype(np.float16))
    build.constant("bias", bias.astype(np.float32))
    table = build.node("Cast", ["weights"], "table", to=TensorProto.FLOAT)
    build.constant("axis", np.array([1], np.int64))
    build.constant("first", np.array([0], np.int64))
    build.constant("but_last", np.array([-1], np.int64))
    build.constant("end", np.array([np.iinfo(np.int64).max], np.int64))
    build.constant("multiplier", np.array(MULTIPLIER, np.uint32))
    build.constant("golden", np.array(GOLDEN, np.uint32))
    build.constant("shift", np.array(32 - BITS, np.uint32))
    build.constant("zero", np.array(0, np.int32))

    x = build.node("Cast", ["bytes"], "x", to=TensorProto.UINT32)
    signed = build.node("Cast", ["bytes"], "signed", to=TensorProto.INT32)
    is_real = build.node("Greater", [signed, "zero"], "is_real")
    real = build.node("Cast", [is_real], "real", to=TensorProto.FLOAT)  # 0 where padded
    length = build.node("ReduceSum", [real, "axis"], "length", keepdims=1)
    h, sums = x, []
    for n in range(1, ORDERS + 1):
        counted = real
        if n > 1:
            build.constant(f"skip{n}", np.array([n - 1], np.int64))
            prefix = build.node("Slice", [h, "first", "but_last", "axis"], f"prefix{n}")
            byte = build.node("Slice", [x, f"skip{n}", "end", "axis"], f"byte{n}")
            h = build.node("Add", [build.node("Mul", [prefix, "multiplier"], f"moved{n}"), byte], f"h{n}")
            counted = build.node("Slice", [real, f"skip{n}", "end", "axis"], f"counted{n}")
        ordered = build.node("Add", [h, build.constant(f"order{n}", np.array(n, np.uint32))], f"ordered{n}")
        mixed = build.node("Mul", [ordered, "golden"], f"mixed{n}")
        cut = build.node("BitShift", [mixed, "shift"], f"cut{n}", direction="RIGHT")
        row = build.node("Cast", [cut], f"row{n}", to=TensorProto.INT32)
        gathered = build.node("Gather", [table, row], f"gathered{n}", axis=0)
        mask = build.node("Unsqueeze", [counted, "axis"], f"mask{n}")
        summed = build.node("MatMul", [mask, gathered], f"summed{n}")
        sums.append(build.node("Squeeze", [summed, "axis"], f"sum{n}"))
    total = build.node("Sum", sums, "total")
    scaled = build.node("Div", [total, build.node("Sqrt", [length], "root")], "scaled")
    build.node("Sigmoid", [build.node("Add", [scaled, "bias"], "logit")], "probability")
    return build.model(len(bias))


def parameters(model: bytes) -> tuple[Floats, Floats]:
    """The weights [2**18, labels] and bias [labels] of a byte n-gram graph, to start training from.

    Raises ValueError where the model is another kind of graph.
    """
    initializers = {tensor.name: tensor for tensor in onnx.load_model_from_string(model).graph.initializer}
    if "weights" not in initializers or "bias" not in initializers:
        raise ValueError("not a byte n-gram graph: it has no initializers 'weights' and 'bias'")
    weights = numpy_helper.to_array(initializers["weights"]).astype(np.float32)
    bias = numpy_helper.to_array(initializers["bias"]).astype(np.float32)
    if weights.shape != (ROWS, len(bias)):
        raise ValueError(
            f"not a byte n-gram graph: weights are {list(weights.shape)}, not [{ROWS}, {len(bias)}]"
        )
    return weights, bias


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

    def model(self, labels: int) -> onnx.ModelProto:
        given = helper.make_tensor_value_info("bytes", TensorProto.UINT8, ["batch", "length"])
        made = helper.make_tensor_value_info("probability", TensorProto.FLOAT, ["batch", labels])
        body = helper.make_graph(self.nodes, "bytegram", [given], [made], self.initializers)
        model = helper.make_model(
            body, opset_imports=[helper.make_opsetid("", 17)], producer_name="sluicegate"
        )
        model.ir_version = 10
        onnx.checker.check_model(model)
        return model
