"""A bundle serves only if it is what its manifest says; every way it can be damaged is refused with the reason."""

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from services.scoring.bundle import GOLDEN_TEXTS, BundleError, load, save
from services.scoring.bytegram import ROWS, Floats
from services.scoring.bytegraph import graph
from services.scoring.normalise import NORMALISATION_VERSION

MakeBundle = Callable[[], Path]


def edit(folder: Path, **changed: Any) -> None:
    path = folder / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_bytes()), **changed}))


def put_model(folder: Path, model: onnx.ModelProto) -> None:
    """Replace the model and have the manifest say so, as one would who wants it taken."""
    data = model.SerializeToString()
    (folder / "model.onnx").write_bytes(data)
    digest = sha256(data).hexdigest()
    edit(folder, content_hash=digest, model_version=f"made-up-{digest[:12]}")


def test_a_good_bundle_loads(make_bundle: MakeBundle, made: tuple[Floats, Floats]) -> None:
    found = load(make_bundle())
    assert found.categories == ("toxicity", "spam")
    assert found.model_version == f"made-up-{found.manifest.content_hash[:12]}"
    assert found.manifest.normalisation == NORMALISATION_VERSION
    assert [golden.text for golden in found.manifest.golden] == list(GOLDEN_TEXTS)
    np.testing.assert_allclose(found.parts.weights, made[0], rtol=1e-3, atol=1e-7)
    assert found.precision.shape == (ROWS + 1, 2)


def test_the_same_model_is_the_same_bytes(make_bundle: MakeBundle, made: tuple[Floats, Floats]) -> None:
    folder = make_bundle()
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert make_bundle() == folder
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_bundle_without_precision_knows_nothing_of_it(tmp_path: Path, made: tuple[Floats, Floats]) -> None:
    save(tmp_path, graph(*made), "plain", ["toxicity", "spam"])
    assert not load(tmp_path).precision.any()


@pytest.mark.parametrize("name", ["model.onnx", "manifest.json", "precision.npy"])
def test_a_missing_file(make_bundle: MakeBundle, name: str) -> None:
    folder = make_bundle()
    (folder / name).unlink()
    with pytest.raises(BundleError, match=rf"{name} cannot be read \(No such file"):
        load(folder)


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"manifest.json cannot be read .* A bundle is a folder with"):
        load(tmp_path / "nowhere")


@pytest.mark.parametrize("at", [0, 1000, 500_000, -1])
@pytest.mark.parametrize("name", ["model.onnx", "precision.npy"])
def test_a_flipped_byte(make_bundle: MakeBundle, name: str, at: int) -> None:
    folder = make_bundle()
    data = bytearray((folder / name).read_bytes())
    data[at] ^= 0xFF
    (folder / name).write_bytes(data)
    with pytest.raises(
        BundleError, match=rf"{name} has SHA-256 .*, the manifest says .*Copy the folder again"
    ):
        load(folder)


def test_a_cut_off_model(make_bundle: MakeBundle) -> None:
    folder = make_bundle()
    data = (folder / "model.onnx").read_bytes()
    (folder / "model.onnx").write_bytes(data[:-1000])
    with pytest.raises(BundleError, match="SHA-256"):
        load(folder)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "manifest.json: Input data was truncated"),
        ("[]", r"Expected `object`"),
        ("{}", "missing required"),
    ],
)
def test_a_broken_manifest(make_bundle: MakeBundle, text: str, reason: str) -> None:
    folder = make_bundle()
    (folder / "manifest.json").write_text(text)
    with pytest.raises(BundleError, match=reason):
        load(folder)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"content_hash": "0" * 64}, "model.onnx has SHA-256"),
        ({"model_version": "made-up-000000000000"}, "model_version is"),
        ({"format": "bundle.v9"}, "format is 'bundle.v9'"),
        ({"name": "Made Up"}, "name 'Made Up' is not"),
        ({"input": "pixels"}, "input kind 'pixels' is not known"),
        ({"input": "tokens"}, "input kind 'tokens' and `tokens` do not go together"),
        ({"normalisation": 0}, "it was trained with normalisation 0"),
        ({"categories": []}, "categories must be 1 to 256 different names"),
        ({"categories": ["spam", "spam"]}, "categories must be 1 to 256 different names"),
        ({"categories": ["toxicity", "Spam!"]}, "category 'Spam!' is not"),
        ({"categories": ["toxicity", "spam", "hate"]}, "the model has 2 outputs, the manifest 3 categories"),
        ({"categories": ["toxicity", "fraud"]}, "golden scores name"),
        ({"categories": ["spam", "toxicity"]}, "golden text .* scores"),
        ({"normalisation": NORMALISATION_VERSION + 1}, "it was trained with normalisation"),
        ({"golden": []}, "it has no golden texts"),
        ({"files": {"../../etc/passwd": "0" * 64}}, "file '../../etc/passwd' is not known"),
    ],
)
def test_a_manifest_that_does_not_fit(make_bundle: MakeBundle, changed: dict[str, Any], reason: str) -> None:
    folder = make_bundle()
    edit(folder, **changed)
    with pytest.raises(BundleError, match=reason):
        load(folder)


def test_golden_scores_that_the_model_does_not_give(make_bundle: MakeBundle) -> None:
    folder = make_bundle()
    golden = json.loads((folder / "manifest.json").read_bytes())["golden"]
    golden[1]["scores"]["spam"] += 0.002
    edit(folder, golden=golden)
    with pytest.raises(BundleError, match=r"golden text 'Have a nice day.*expected"):
        load(folder)


def test_a_model_of_other_weights_under_the_same_golden_scores(
    make_bundle: MakeBundle, made: tuple[Floats, Floats]
) -> None:
    folder = make_bundle()
    put_model(folder, graph(-made[0], made[1]))
    with pytest.raises(BundleError, match="golden text"):
        load(folder)


def test_external_data(make_bundle: MakeBundle, made: tuple[Floats, Floats], tmp_path: Path) -> None:
    folder = make_bundle()
    model = graph(*made)
    weights = next(t for t in model.graph.initializer if t.name == "weights")
    (tmp_path / "weights.bin").write_bytes(weights.raw_data)
    weights.ClearField("raw_data")
    weights.data_location = onnx.TensorProto.EXTERNAL
    weights.external_data.add(key="location", value="../weights.bin")
    put_model(folder, model)
    with pytest.raises(BundleError, match=r"refers to external data .tensor 'weights'"):
        load(folder)


def test_external_data_hidden_in_an_attribute(make_bundle: MakeBundle, made: tuple[Floats, Floats]) -> None:
    folder = make_bundle()
    model = graph(*made)
    hidden = onnx.helper.make_tensor("hidden", onnx.TensorProto.FLOAT, [1], [0.0])
    hidden.data_location = onnx.TensorProto.EXTERNAL
    hidden.external_data.add(key="location", value="/etc/passwd")
    model.graph.node.append(onnx.helper.make_node("Constant", [], ["unused"], value=hidden))
    put_model(folder, model)
    with pytest.raises(BundleError, match=r"refers to external data .tensor 'hidden'"):
        load(folder)


def test_what_is_no_onnx(make_bundle: MakeBundle) -> None:
    folder = make_bundle()
    (folder / "model.onnx").write_bytes(b"\xff" * 100)
    digest = sha256(b"\xff" * 100).hexdigest()
    edit(folder, content_hash=digest, model_version=f"made-up-{digest[:12]}")
    with pytest.raises(BundleError, match="is not ONNX"):
        load(folder)


def test_a_graph_of_another_shape(make_bundle: MakeBundle) -> None:
    folder = make_bundle()
    given = onnx.helper.make_tensor_value_info("bytes", onnx.TensorProto.FLOAT, ["batch"])
    made = onnx.helper.make_tensor_value_info("probability", onnx.TensorProto.FLOAT, ["batch"])
    node = onnx.helper.make_node("Identity", ["bytes"], ["probability"])
    body = onnx.helper.make_graph([node], "other", [given], [made])
    model = onnx.helper.make_model(body, opset_imports=[onnx.helper.make_opsetid("", 17)])
    model.ir_version = 10
    put_model(folder, model)
    with pytest.raises(BundleError, match="not one uint8 tensor 'bytes'"):
        load(folder)
