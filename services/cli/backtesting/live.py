"""Policies that were live, and what models are certified for, as far as they are to be had."""

from __future__ import annotations

from contextlib import closing

import click

from services.cli.policies import check_text
from services.cli.policy_history import earlier
from services.events.codec import decode
from services.events.errors import UndecodableEvent
from services.events.types import ModelReleased, PolicyReleased
from services.policy.errors import InvalidPolicy
from services.policy.model import Policy
from services.runtime.reading import whole_topics
from services.runtime.settings import Settings
from services.scoring import operating_points
from services.scoring.live_model import located
from services.scoring.operating_points import OperatingPoint


class Documents:
    """Policies by version: from policy.released where Kafka has not compacted them away, else from analytics."""

    def __init__(self, settings: Settings, key: str | None) -> None:
        self._settings, self._key = settings, key
        self._texts: dict[str, str] = {}
        for value in _values(settings, "policy.released"):
            try:
                event = decode(PolicyReleased, value)
            except UndecodableEvent:
                continue
            self._texts[event.policy_version] = event.document

    def of(self, version: str) -> Policy | None:
        """The policy, None where its document is not to be had, or no policy any more."""
        try:
            text = self._texts.get(version) or earlier(self._settings, version, self._key)
            return check_text(text)
        except (click.ClickException, InvalidPolicy):
            return None


class Certificates:
    """What is certified now for models that were released; `missing`: for which it is not to be had."""

    def __init__(self, settings: Settings) -> None:
        self.missing: set[str] = set()
        self._settings = settings
        self._released: dict[str, ModelReleased] | None = None

    def of(self, versions: tuple[str | None, ...]) -> tuple[OperatingPoint, ...]:
        """In each category the points of the first model that has it, as the router takes them."""
        found: list[OperatingPoint] = []
        seen: set[str] = set()
        for version in versions:
            if version is None:
                continue
            model = self._model(version)
            if model is None:
                self.missing.add(version)
                continue
            points = operating_points.read(located(self._settings.var, model.bundle), model.content_hash)
            found += [point for point in points if point.category not in seen]
            seen |= set(model.categories)
        return tuple(found)

    def _model(self, version: str) -> ModelReleased | None:
        if self._released is None:
            self._released = {}
            for value in _values(self._settings, "model.released"):
                try:
                    event = decode(ModelReleased, value)
                except UndecodableEvent:
                    continue
                self._released[event.model_version] = event
        return self._released.get(version)


def _values(settings: Settings, topic: str) -> list[bytes]:
    with closing(whole_topics(settings, "backtest", [topic])) as reader:
        return [record.value for record in reader.to_end() if record.value is not None]
