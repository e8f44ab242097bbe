"""Settings of the adjudicator: those of the loop."""

from services.runtime.settings import LoopSettings


class AdjudicatorSettings(LoopSettings):
    """Settings of the adjudicator."""
