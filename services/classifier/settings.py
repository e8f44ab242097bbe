"""Settings of the classifier."""

from pydantic import Field

from services.runtime.settings import LoopSettings


class ClassifierSettings(LoopSettings):
    """Read from the environment, prefix SLUICEGATE_."""

    summary_seconds: int = Field(10, ge=1, description="How often scores are summarised, s")
