"""The live models of both tiers, as the router needs them: what they are certified for, and to explain with."""

from collections.abc import Iterator
from pathlib import Path

from services.scoring.bundle import Bundle
from services.scoring.live_model import LiveModel
from services.scoring.operating_points import OperatingPoint


class LiveModels:
    """Follows model.released for both tiers; `var` is where bundles lie."""

    def __init__(self, var: Path) -> None:
        self._tiers = (LiveModel("fast", var), LiveModel("slow", var))

    def take(self, value: bytes | None) -> None:
        """Take a record of model.released."""
        for tier in self._tiers:
            tier.take(value)

    def version(self, model_version: str | None) -> Bundle | None:
        """The bundle of a version, where it is live in a tier or was until the last release."""
        return next((bundle for tier in self._tiers if (bundle := tier.version(model_version))), None)

    def operating_points(self, *versions: str | None) -> tuple[OperatingPoint, ...]:
        """The points certified for models whose scores were merged: in each category those of the first that has it."""
        return tuple(self._points(versions))

    def _points(self, versions: tuple[str | None, ...]) -> Iterator[OperatingPoint]:
        seen: set[str] = set()
        for version in versions:
            if (bundle := self.version(version)) is not None:
                yield from (point for point in bundle.operating_points if point.category not in seen)
                seen |= set(bundle.categories)
