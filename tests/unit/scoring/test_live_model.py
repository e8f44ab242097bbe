"""What is live follows model.released: a folder below var or a URL; what is refused leaves the live one."""

from pathlib import Path

import fsspec
import pytest

from services.events.codec import encode
from services.events.types import ModelReleased
from services.scoring.bundle import load
from services.scoring.live_model import LiveModel
from services.scoring.manifest import Manifest
from tests.unit.scoring import tiny


def released(told: Manifest, bundle: str) -> bytes:
    return encode(
        ModelReleased(
            event_id="0" * 32,
            occurred_at="2026-01-01T00:00:00.000Z",
            model_version=told.model_version,
            name=told.name,
            tier="fast",
            bundle=bundle,
            content_hash=told.content_hash,
            categories=tuple(told.categories),
            released_by="test",
            reason="test",
        )
    )


def test_a_release_names_a_folder_below_var(tmp_path: Path) -> None:
    told = tiny.save(tmp_path / "models" / "tiny")
    live = LiveModel("fast", tmp_path)
    live.take(released(told, "models/tiny"))
    assert live.bundle is not None and live.bundle.model_version == told.model_version


def test_or_a_url(tmp_path: Path) -> None:
    told = tiny.save(tmp_path / "tiny")
    memory = fsspec.filesystem("memory")
    for path in (tmp_path / "tiny").iterdir():
        memory.pipe_file(f"/live/{path.name}", path.read_bytes())
    live = LiveModel("fast", tmp_path)
    live.take(released(told, "memory://live"))
    memory.rm("/live", recursive=True)
    assert live.bundle is not None
    assert live.bundle.classifier.classify(["idiot"]).probability[0, 0] > 0.99, "it needs the URL no more"


@pytest.mark.parametrize("bundle", ["models/gone", "memory://gone"])
def test_what_is_refused_leaves_the_live_one(tmp_path: Path, bundle: str) -> None:
    told = tiny.save(tmp_path / "models" / "tiny")
    live = LiveModel("fast", tmp_path)
    live.bundle = load(tmp_path / "models" / "tiny")
    other = tiny.save(
        tmp_path / "other", model=tiny.model(inputs=("input_ids", "attention_mask", "token_type_ids"))
    )
    assert other.model_version != told.model_version
    live.take(released(other, bundle))
    assert live.bundle.model_version == told.model_version and "cannot be read" in live.refused
