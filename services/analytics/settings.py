"""Settings of analytics."""

from pydantic import Field

from services.runtime.settings import Settings


class AnalyticsSettings(Settings):
    """Where analytics listens, how it batches, and what an analyst may spend."""

    analytics_port: int = Field(8082, ge=0, le=65535, description="Port of the HTTP API and the dashboard")
    sink_records: int = Field(72_000, ge=1, description="Records brought in at a time at the most")
    sink_wait_ms: int = Field(250, ge=1, description="How long records may wait to be brought in, ms")
    sink_busy_records: int = Field(
        2_000,
        ge=1,
        description="Where so many came in that time, the next are waited for too: every insert has a cost of its own",
    )
    sink_busy_wait_ms: int = Field(2_000, ge=1, description="How long records may then wait, ms")
    sink_nice: int = Field(
        5,
        ge=0,
        le=19,
        description="Niceness of the process: where cores are scarce, the stream goes before what is kept of it",
    )
    metadata_refresh_ms: int = Field(
        2_000, ge=100, description="How soon the topic of a new source is found, ms"
    )
    query_seconds: float = Field(15, gt=0, description="How long a question of an analyst may run, s")
    query_rows: int = Field(10_000, ge=1, description="Rows that an answer may have")
    query_read_rows: int = Field(200_000_000, ge=1, description="Rows that a question may read")
    query_megabytes: int = Field(1024, ge=16, description="Memory that a question may take, MB")
