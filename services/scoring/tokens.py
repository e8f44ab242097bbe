"""Texts to probabilities with a Hugging-Face-style text classifier: tokenizer.json and an ONNX graph of logits."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from services.scoring.manifest import TokensInput
from services.scoring.normalise import normalise
from services.scoring.scores import ModelError, Scores, one_thread_session

CHUNK = 32  # rows a run
KNOWN_INPUTS = ("input_ids", "attention_mask", "token_type_ids")
NUMBERS = {"tensor(int64)": np.int64, "tensor(int32)": np.int32}


class TokenClassifier:
    """Implements services.scoring.scores.Classifier. Raises ModelError where graph, tokenizer and manifest do not fit.

    A text of more than `told.max_length` tokens is cut. It is normalised first where the manifest says so: most
    tokenizers bring a normalisation of their own.
    """

    def __init__(
        self,
        model: bytes,
        tokenizer: bytes,
        model_version: str,
        categories: Sequence[str],
        told: TokensInput,
        normalised: bool,
    ) -> None:
        self.model_version = model_version
        self.categories = tuple(categories)
        self._told = told
        self._normalised = normalised
        try:
            self._tokenizer = Tokenizer.from_buffer(tokenizer)
        except Exception as error:  # the library raises bare Exception
            raise ModelError(f"tokenizer.json cannot be read: {str(error)[:300]}") from error
        padding = self._tokenizer.padding or {}
        self._pad = int(padding.get("pad_id", 0))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(told.max_length)
        self._session = one_thread_session(model)
        self._columns = list(told.columns) or list(range(len(self.categories)))
        self._check()

    def classify(self, texts: Sequence[str], normal: Sequence[str] | None = None) -> Scores:
        """Scores of each text, in their order. It takes the texts: some models want them as they came."""
        probability = np.empty((len(texts), len(self.categories)), np.float32)
        encoded = [self._encode(text) for text in texts]
        order = np.argsort([len(ids) for ids, _ in encoded], kind="stable").tolist()
        for start in range(0, len(order), CHUNK):
            chosen = order[start : start + CHUNK]
            probability[chosen] = self._run([encoded[i] for i in chosen])
        return Scores(probability)

    def _encode(self, text: str) -> tuple[list[int], list[int]]:
        clean = text.encode("utf-8", "replace").decode()  # a lone surrogate stops the tokenizer
        found = self._tokenizer.encode(normalise(clean) if self._normalised else clean)
        return (found.ids, found.type_ids) if found.ids else ([self._pad], [0])

    def _run(self, encoded: Sequence[tuple[list[int], list[int]]]) -> NDArray[np.float32]:
        width = max(len(ids) for ids, _ in encoded)
        given = {name: np.zeros((len(encoded), width), np.int64) for name in KNOWN_INPUTS}
        given["input_ids"][:] = self._pad
        for row, (ids, types) in enumerate(encoded):
            given["input_ids"][row, : len(ids)] = ids
            given["attention_mask"][row, : len(ids)] = 1
            given["token_type_ids"][row, : len(ids)] = types
        asked = {i.name: given[i.name].astype(NUMBERS[i.type]) for i in self._session.get_inputs()}
        logits = self._session.run([self._output], asked)[0].astype(np.float64)
        if self._told.activation == "sigmoid":
            p = 1 / (1 + np.exp(-np.clip(logits, -500, 500)))
        else:
            powers = np.exp(logits - logits.max(axis=1, keepdims=True))
            p = powers / powers.sum(axis=1, keepdims=True)
        return np.asarray(p[:, self._columns], np.float32)

    def _check(self) -> None:
        given = {i.name: (i.type, i.shape) for i in self._session.get_inputs()}
        if "input_ids" not in given or not set(given) <= set(KNOWN_INPUTS):
            raise ModelError(
                f"inputs are {sorted(given)}, not input_ids and perhaps {', '.join(KNOWN_INPUTS[1:])}"
            )
        for name, (kind, shape) in given.items():
            if kind not in NUMBERS or len(shape) != 2 or any(isinstance(side, int) for side in shape):
                raise ModelError(f"{name} is {kind} {shape}, not whole numbers [batch, length] of any size")
        outputs = {o.name: (o.type, o.shape) for o in self._session.get_outputs()}
        self._output = "logits" if "logits" in outputs else next(iter(outputs), "")
        kind, shape = outputs.get(self._output, ("nothing", []))
        if kind != "tensor(float)" or len(shape) != 2 or isinstance(shape[0], int):
            raise ModelError(
                f"the output {self._output!r} is {kind} {shape}, not float logits [batch, labels]"
            )
        labels = shape[1]
        if not isinstance(labels, int) or not all(0 <= column < labels for column in self._columns):
            raise ModelError(
                f"the model has {labels} outputs, the manifest names columns {self._columns[:9]}"
            )
        if len(self._columns) != len(self.categories) or (
            not self._told.columns and labels != len(self.categories)
        ):
            raise ModelError(
                f"the model has {labels} outputs, the manifest {len(self.categories)} categories"
            )
        rows = int(self._tokenizer.get_vocab_size(with_added_tokens=True))
        if rows == 0 or self._pad >= max(rows, 1):
            raise ModelError(f"the tokenizer has {rows} tokens and pads with {self._pad}")
