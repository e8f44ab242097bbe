"""operating_points.json: the thresholds certified for a model, beside its bundle.

They are no part of what the bundle's hash covers: a model is certified after it was released, and again whenever there
are more labels. The file names the hash of the model it is about and counts for no other.
"""

import os
from collections.abc import Sequence
from pathlib import Path

import msgspec
import structlog

from services.scoring.folder import reader

log = structlog.get_logger()
MAX_BYTES = 1024 * 1024
FILE = "operating_points.json"
FORMAT = "operating_points.v1"


class OperatingPoint(msgspec.Struct, frozen=True, kw_only=True):
    """Thresholds of one category, certified for these risks; None is never. `automated`: share of the pool."""

    category: str
    wrong_removals: float
    missed: float
    confidence: float
    remove: float | None
    allow: float | None
    automated: float
    labels: int
    violating: int
    certified_at: str  # RFC 3339
    certified_by: str


class _File(msgspec.Struct, frozen=True, kw_only=True):
    format: str
    model_version: str
    content_hash: str
    points: tuple[OperatingPoint, ...]


def read(folder: Path | str, content_hash: str) -> tuple[OperatingPoint, ...]:
    """The points beside a bundle, none where there is no file. One of another model, or damaged, counts as none."""
    try:
        found = msgspec.json.decode(reader(folder)(FILE, MAX_BYTES), type=_File)
    except FileNotFoundError:
        return ()
    except (OSError, msgspec.DecodeError) as error:
        log.error("operating points left out", folder=str(folder), reason=str(error))
        return ()
    if found.format != FORMAT or found.content_hash != content_hash:
        log.error(
            "operating points left out", folder=str(folder), reason="they are of another model or format"
        )
        return ()
    return found.points


def write(folder: Path, model_version: str, content_hash: str, points: Sequence[OperatingPoint]) -> Path:
    """Store points beside a bundle, whole or not at all; of a category and risks the new one counts."""
    merged = {_key(point): point for point in (*read(folder, content_hash), *points)}
    told = _File(
        format=FORMAT,
        model_version=model_version,
        content_hash=content_hash,
        points=tuple(merged[key] for key in sorted(merged)),
    )
    path = folder / FILE
    beside = path.with_name(path.name + ".part")
    with beside.open("wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(told, order="sorted"), indent=2) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    return path


def _key(point: OperatingPoint) -> tuple[str, float, float, float]:
    return point.category, point.wrong_removals, point.missed, point.confidence
