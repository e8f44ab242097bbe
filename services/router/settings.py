"""Settings of the router."""

from pydantic import Field

from services.runtime.settings import LoopSettings


class RouterSettings(LoopSettings):
    """Settings of the router, on top of the loop's."""

    batch_calm_ms: int = Field(
        2,
        ge=0,
        description="How long a batch may wait to fill while the worker has time, ms: what it reads comes in batches,"
        " all of the classifier's at its commit",
    )
    summary_seconds: int = Field(10, ge=1, description="How often outcomes are summed up, s")
    counters_timeout_ms: int = Field(
        250, ge=1, description="How long Redis may take with the counters of a batch, ms; then they are null"
    )
    precedents: int = Field(
        1_000_000,
        ge=1,
        description="How many texts that people decided on are remembered, the latest; each takes about 500 bytes",
    )
    explaining_share: float = Field(
        0.1,
        ge=0,
        le=1,
        description="Share of a core for explaining by models that must be asked again without each word; beyond it"
        " people are asked without an explanation. 0: never",
    )
    shadow_behind_seconds: float = Field(
        2, gt=0, description="How old a record may be for a candidate policy to be asked about it too, s"
    )
    shadow_core_share: float = Field(
        0.3, ge=0, le=1, description="Share of a core for a candidate policy; beyond it items are passed over"
    )
