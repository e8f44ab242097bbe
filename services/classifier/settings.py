"""Settings of the classifier."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from services.runtime.settings import LoopSettings


class ClassifierSettings(LoopSettings):
    """Read from the environment, prefix SLUICEGATE_."""

    summary_seconds: int = Field(10, ge=1, description="How often scores are summarised, s")
    tier: Literal["fast", "slow"] = Field("fast", description="Which tier's live model this worker serves")
    classifier_file: str = Field(
        "",
        description="classifier.yaml, which says what the slow tier scores too; empty: there is no slow tier",
    )
    slow_batch_records: int = Field(
        32, ge=1, description="Records that a worker of the slow tier scores in one transaction at the most"
    )

    @property
    def slow_tier_file(self) -> Path | None:
        return Path(self.classifier_file) if self.classifier_file else None
