"""Settings of the retrainer."""

from pydantic import Field

from services.runtime.settings import Settings


class RetrainerSettings(Settings):
    """Read from the environment, prefix SLUICEGATE_."""

    retrainer_port: int = Field(8083, ge=0, le=65535, description="Port of HTTP; 0: any free one")
    retrain_after: int = Field(200, ge=1, description="New labels since the last training that start another")
    frozen_positives: int = Field(8, ge=1, description="Positives a category needs in the frozen set")
    frozen_negatives: int = Field(8, ge=1, description="Negatives a category needs in the frozen set")
    bootstrap_resamples: int = Field(
        1000, ge=100, description="Resamples of the comparison with the live model"
    )
    model_name: str = Field("retrained", pattern=r"^[a-z0-9-]{1,60}$", description="Name of trained bundles")
    retry_seconds: float = Field(30.0, ge=0, description="How long to wait after a training that failed, s")
    retrainer_url: str = Field(
        "http://127.0.0.1:8083", description="Where the command line finds the retrainer"
    )
