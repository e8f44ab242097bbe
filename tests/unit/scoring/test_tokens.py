"""Bundles of tokens serve like any other: verified, in batches, whatever the text; and are explained by occlusion."""

import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from services.scoring.bundle import Bundle, BundleError, load
from services.scoring.explain import explain, top_ngrams
from services.scoring.manifest import TokensInput
from services.scoring.scores import ModelError
from tests.unit.scoring import tiny


@pytest.fixture
def made(tmp_path: Path) -> Bundle:
    tiny.save(tmp_path / "tiny")
    return load(tmp_path / "tiny")


def edit(folder: Path, **changed: Any) -> None:
    path = folder / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_bytes()), **changed}))


def put_model(folder: Path, model: onnx.ModelProto) -> None:
    data = model.SerializeToString()
    (folder / "model.onnx").write_bytes(data)
    digest = sha256(data).hexdigest()
    edit(folder, content_hash=digest, model_version=f"tiny-{digest[:12]}")


def test_logits_become_probabilities_of_the_named_columns(made: Bundle) -> None:
    found = made.classifier.classify(["idiot", "FREE prize", "hello there", ""])
    logits = np.array([[-8, 9, 0], [-5, 0, 7.5], [0, -4, -4], [0, 0, 0]])
    powers = np.exp(logits)
    np.testing.assert_allclose(
        found.probability, (powers / powers.sum(axis=1, keepdims=True))[:, 1:], atol=1e-5
    )
    assert found.disagreement is None


def test_sigmoid_where_categories_do_not_exclude_each_other(tmp_path: Path) -> None:
    tiny.save(tmp_path, TokensInput(max_length=16, activation="sigmoid"), model=tiny.model(columns=(1, 2)))
    both = load(tmp_path).classifier.classify(["idiot prize"]).probability
    np.testing.assert_allclose(both, 1 / (1 + np.exp(-np.array([[4.5, 4.5]]))), atol=1e-5)


def test_a_batch_scores_as_its_texts_do_alone(made: Bundle) -> None:
    texts = ["idiot " * (i % 7) + "so what " * (i % 11) + "free" for i in range(75)]
    together = made.classifier.classify(texts).probability
    alone = np.vstack([made.classifier.classify([text]).probability for text in texts])
    np.testing.assert_allclose(together, alone, atol=1e-6)
    assert made.classifier.classify([]).probability.shape == (0, 2)


def test_a_text_is_cut_at_its_longest(made: Bundle) -> None:
    long = made.classifier.classify(["hello " * 16 + "idiot " * 900]).probability
    np.testing.assert_allclose(long, made.classifier.classify(["hello"]).probability, atol=1e-6)


@pytest.mark.parametrize("text", ["\ud800", "\0", "🙂" * 50, " \n "])
def test_no_text_stops_it(made: Bundle, text: str) -> None:
    assert np.isfinite(made.classifier.classify([text]).probability).all()


def test_token_types_are_given_where_the_model_asks(tmp_path: Path) -> None:
    inputs = ("input_ids", "attention_mask", "token_type_ids")
    tiny.save(tmp_path, model=tiny.model(inputs=inputs))
    assert load(tmp_path).classifier.classify(["idiot"]).probability[0, 0] > 0.99


def test_texts_are_normalised_where_the_manifest_says_so(tmp_path: Path) -> None:
    tiny.save(tmp_path / "raw")
    tiny.save(tmp_path / "normalised", normalisation=2)
    text = "i d i о t"  # with a Cyrillic letter
    assert load(tmp_path / "raw").classifier.classify([text]).probability[0, 0] < 0.5
    assert load(tmp_path / "normalised").classifier.classify([text]).probability[0, 0] > 0.99


def test_occlusion_finds_the_word_that_counts(made: Bundle) -> None:
    text = "hello you  ＩＤＩＯＴ, stupid man".replace("ＩＤＩＯＴ", "IDIOT")
    spans = explain(made, text, "toxicity")
    assert {text[s.start : s.end] for s in spans[:2]} == {"IDIOT,", "stupid"}
    assert all((s.weight or 0) > 0 for s in spans[:2]) and all((s.weight or 0) < 0 for s in spans[2:])
    assert explain(made, "", "toxicity") == []
    assert top_ngrams(made, text, "toxicity") == []


def test_occlusion_of_a_long_text_is_bounded_and_covers_it(made: Bundle) -> None:
    text = "well now " * 500
    spans = explain(made, text, "spam", limit=1000)
    assert len(spans) <= 64
    assert min(s.start for s in spans) == 0 and max(s.end for s in spans) == len(text.rstrip())


@pytest.fixture(params=["memory", "file"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A bundle at a URL."""
    tiny.save(tmp_path / "tiny")
    if request.param == "file":
        yield f"file://{tmp_path}/tiny"
        return
    memory = fsspec.filesystem("memory")
    for path in (tmp_path / "tiny").iterdir():
        memory.pipe_file(f"/bundles/tiny/{path.name}", path.read_bytes())
    yield "memory://bundles/tiny"
    memory.rm("/bundles", recursive=True)


def test_a_bundle_loads_from_a_url_and_can_be_copied(url: str, tmp_path: Path) -> None:
    found = load(url)
    assert found.classifier.classify(["idiot"]).probability[0, 0] > 0.99
    found.copy_to(tmp_path / "copy")
    assert load(tmp_path / "copy").model_version == found.model_version


@pytest.mark.parametrize(
    ("url", "reason"),
    [("memory://nowhere", "manifest.json cannot be read"), ("nosuchprotocol://x", "nosuchprotocol")],
)
def test_a_url_that_leads_nowhere(url: str, reason: str) -> None:
    with pytest.raises(BundleError, match=reason):
        load(url)


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json"])
def test_a_damaged_file_is_refused(made: Bundle, name: str) -> None:
    path = Path(made.folder) / name
    path.write_bytes(path.read_bytes()[:-3] + b"xyz")
    with pytest.raises(BundleError, match=f"{name} has SHA-256"):
        load(made.folder)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"tokens": None}, "do not go together"),
        ({"input": "bytes"}, "do not go together"),
        ({"files": {}}, "names no tokenizer.json"),
        ({"tokens": {"max_length": 0, "activation": "softmax"}}, "manifest.json: Expected `int` >= 1"),
        ({"tokens": {"max_length": 16, "activation": "relu"}}, "manifest.json: Invalid enum value 'relu'"),
        (
            {"tokens": {"max_length": 16, "activation": "softmax"}},
            "the model has 3 outputs, the manifest 2 categories",
        ),
        ({"tokens": {"max_length": 16, "activation": "softmax", "columns": [1, 3]}}, "names columns"),
        ({"tokens": {"max_length": 16, "activation": "softmax", "columns": [2, 1]}}, "golden text"),
        ({"tokens": {"max_length": 16, "activation": "sigmoid", "columns": [1, 2]}}, "golden text"),
        ({"normalisation": 1}, "trained with normalisation 1"),
    ],
)
def test_a_manifest_that_does_not_fit(made: Bundle, changed: dict[str, Any], reason: str) -> None:
    edit(Path(made.folder), **changed)
    with pytest.raises(BundleError, match=reason):
        load(made.folder)


def test_a_tokenizer_that_is_none(made: Bundle, tmp_path: Path) -> None:
    (tmp_path / "tiny" / "tokenizer.json").write_bytes(b"{}")
    edit(tmp_path / "tiny", files={"tokenizer.json": sha256(b"{}").hexdigest()})
    with pytest.raises(BundleError, match=r"tokenizer.json cannot be read"):
        load(made.folder)


def test_external_data_is_refused(made: Bundle) -> None:
    model = tiny.model()
    points = next(t for t in model.graph.initializer if t.name == "points")
    points.ClearField("raw_data")
    points.data_location = TensorProto.EXTERNAL
    points.external_data.add(key="location", value="/etc/passwd")
    put_model(Path(made.folder), model)
    with pytest.raises(BundleError, match=r"refers to external data .tensor 'points'"):
        load(made.folder)


def absurd_constant() -> onnx.ModelProto:
    model = tiny.model()
    model.graph.initializer.add(name="huge", data_type=TensorProto.FLOAT, dims=[2**40, 2**10])
    return model


def absurd_fill() -> onnx.ModelProto:
    model = tiny.model()
    model.graph.initializer.append(helper.make_tensor("side", TensorProto.INT64, [2], [10**6, 10**6]))
    model.graph.node.append(helper.make_node("ConstantOfShape", ["side"], ["huge"], name="fill"))
    return model


def fixed_batch() -> onnx.ModelProto:
    model = tiny.model()
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1
    return model


def other_inputs() -> onnx.ModelProto:
    model = tiny.model()
    model.graph.input[1].name = "pixels"
    model.graph.node[1].input[0] = "pixels"
    return model


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (absurd_constant, "tensor 'huge' is said to be"),
        (absurd_fill, "ConstantOfShape 'fill' makes a tensor of absurd shape"),
        (fixed_batch, r"not whole numbers \[batch, length\] of any size"),
        (other_inputs, "inputs are .*pixels.*, not input_ids"),
    ],
)
def test_a_graph_of_absurd_shapes(made: Bundle, model: Any, reason: str) -> None:
    put_model(Path(made.folder), model())
    with pytest.raises(BundleError, match=reason):
        load(made.folder)


def test_a_bundle_of_parts_that_do_not_fit_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="names columns"):
        tiny.save(tmp_path, TokensInput(max_length=16, activation="softmax", columns=[1, 9]))
    assert not (tmp_path / "manifest.json").exists()


def test_a_model_that_fails_on_golden_texts_is_refused(made: Bundle, tmp_path: Path) -> None:
    """A vocabulary larger than the table of the model."""
    from tokenizers import Tokenizer

    large = Tokenizer.from_str((tmp_path / "tiny" / "tokenizer.json").read_text())
    large.add_tokens(["lunch"])
    data = large.to_str().encode()
    (tmp_path / "tiny" / "tokenizer.json").write_bytes(data)
    edit(tmp_path / "tiny", files={"tokenizer.json": sha256(data).hexdigest()})
    with pytest.raises(BundleError, match="the model fails on golden texts"):
        load(made.folder)
