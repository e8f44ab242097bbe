"""Settings of ingest."""

from pydantic import Field

from services.runtime.settings import Settings


class IngestSettings(Settings):
    """Where ingest listens and what it waits for."""

    ingest_port: int = Field(8080, ge=0, le=65535, description="Port of the HTTP API")
    ingest_ack_ms: int = Field(4500, ge=100, description="How long Kafka may take to acknowledge, ms")
    ingest_remember_seconds: int = Field(600, ge=1, description="How long an accepted item is known, s")
    ingest_key_age_seconds: float = Field(1.0, ge=0, description="How long a revoked key may still work, s")
    precedents: int = Field(
        1_000_000,
        ge=1,
        description="How many texts that people decided on are remembered, the latest; each takes about 500 bytes",
    )
    ingest_lookup_seconds: float = Field(5.0, gt=0, description="How long analytics may take to answer, s")
