"""The model that is live in a worker, swapped while it runs. Only loading a bundle is not pure."""

from pathlib import Path

import structlog

from services.events.codec import decode
from services.events.errors import UndecodableEvent
from services.events.types import ModelReleased
from services.scoring.bundle import Bundle, BundleError, load, with_points

log = structlog.get_logger()


def located(var: Path, bundle: str) -> Path | str:
    """Where the bundle of a release is: a URL or an absolute path as it stands, else below `var`."""
    return bundle if "://" in bundle else var / bundle


class LiveModel:
    """Follows model.released for one tier. A bundle that is refused leaves the live one in place.

    `before` is what was live until the last release: items that it scored are still on their way.
    """

    def __init__(self, tier: str, var: Path) -> None:
        self._tier = tier
        self._var = var
        self.bundle: Bundle | None = None
        self.before: Bundle | None = None
        self.refused = ""  # why the last release was not taken

    def take(self, value: bytes | None) -> None:
        """Take a record of model.released."""
        if value is None:
            return
        try:
            event = decode(ModelReleased, value)
        except UndecodableEvent as error:
            self._refuse("?", str(error))
            return
        if event.tier != self._tier:
            return
        if self.bundle and self.bundle.model_version == event.model_version:
            self.bundle = with_points(self.bundle)  # announced again: it may have been certified since
            return
        try:
            bundle = load(located(self._var, event.bundle))
        except BundleError as error:
            self._refuse(event.model_version, str(error))
            return
        told = bundle.manifest
        if (told.content_hash, told.model_version) != (event.content_hash, event.model_version):
            self._refuse(
                event.model_version,
                f"the bundle at {event.bundle} is {told.model_version} with hash {told.content_hash}: release it again",
            )
            return
        self.before, self.bundle, self.refused = self.bundle, bundle, ""
        log.info("model live", model_version=bundle.model_version, tier=self._tier)

    def _refuse(self, version: str, reason: str) -> None:
        self.refused = reason
        live = self.bundle.model_version if self.bundle else "none"
        log.error("model refused", model_version=version, live=live, reason=reason)

    def version(self, model_version: str | None) -> Bundle | None:
        """The bundle of a version, where it is live or was until the last release."""
        for bundle in (self.bundle, self.before):
            if bundle is not None and bundle.model_version == model_version:
                return bundle
        return None
