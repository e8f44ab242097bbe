"""Certified thresholds beside a bundle: of this model or of none."""

from collections.abc import Callable
from pathlib import Path

import msgspec

from services.events.codec import encode
from services.events.types import ModelReleased
from services.scoring import bundle, operating_points
from services.scoring.live_model import LiveModel
from services.scoring.operating_points import FILE, OperatingPoint

POINT = OperatingPoint(
    category="toxicity",
    wrong_removals=0.02,
    missed=0.05,
    confidence=0.95,
    remove=0.9,
    allow=0.1,
    automated=0.8,
    labels=2000,
    violating=400,
    certified_at="2026-01-31T12:00:00.000Z",
    certified_by="cli:ada",
)


def test_what_is_stored_is_read_and_a_newer_point_replaces_its_elder(tmp_path: Path) -> None:
    newer = msgspec.structs.replace(POINT, remove=0.8)
    other = msgspec.structs.replace(POINT, missed=0.1)
    operating_points.write(tmp_path, "m-1", "a" * 64, [POINT])
    operating_points.write(tmp_path, "m-1", "a" * 64, [newer, other])
    assert operating_points.read(tmp_path, "a" * 64) == (newer, other)
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_points_of_another_model_and_damaged_ones_count_as_none(tmp_path: Path) -> None:
    assert operating_points.read(tmp_path, "a" * 64) == ()
    operating_points.write(tmp_path, "m-1", "a" * 64, [POINT])
    assert operating_points.read(tmp_path, "b" * 64) == ()
    (tmp_path / FILE).write_bytes(b'{"format":')
    assert operating_points.read(tmp_path, "a" * 64) == ()


def test_a_bundle_has_its_points_and_stays_what_it_is(make_bundle: Callable[[], Path]) -> None:
    folder = make_bundle()
    before = bundle.load(folder)
    told = before.manifest
    operating_points.write(folder, told.model_version, told.content_hash, [POINT])
    after = bundle.load(folder)
    assert before.operating_points == () and after.operating_points == (POINT,)
    assert after.manifest == told


def test_a_live_model_that_is_announced_again_takes_the_points_found_since(
    make_bundle: Callable[[], Path],
) -> None:
    folder = make_bundle()
    told = bundle.load(folder).manifest
    event = ModelReleased(
        event_id="0" * 32,
        occurred_at="2026-01-31T12:00:00.000Z",
        model_version=told.model_version,
        name=told.name,
        tier="fast",
        bundle=str(folder),
        content_hash=told.content_hash,
        released_by="cli:test",
        reason="a test",
    )
    live = LiveModel("fast", folder.parent)
    live.take(encode(event))
    assert live.bundle is not None and live.bundle.operating_points == ()
    operating_points.write(folder, told.model_version, told.content_hash, [POINT])
    live.take(encode(event))
    assert live.bundle.operating_points == (POINT,) and live.before is None
