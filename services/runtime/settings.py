"""Settings that several services share, read from the environment with the prefix SLUICEGATE_."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

DEFAULT_SALT = "sluicegate-local"  # of draws; known to everybody: fit for trying things out


class Settings(BaseSettings):
    """Where everything is. A service's own settings subclass this one."""

    model_config = SettingsConfigDict(env_prefix="SLUICEGATE_", extra="ignore")

    host: str = Field("127.0.0.1", description="Address that servers bind to")
    kafka: str = Field("127.0.0.1:19092", description="Kafka bootstrap servers")
    redis_url: str = Field("redis://127.0.0.1:16379/0", description="Redis")
    database_url: str = Field(
        "sqlite:///var/sluicegate.db", description="Accounts and API keys, as SQLAlchemy takes it"
    )
    clickhouse_url: str = Field("", description="ClickHouse server; empty: chDB inside the analytics process")
    analytics_url: str = Field("http://127.0.0.1:8082", description="Where analytics answers")
    var: Path = Field(Path("var"), description="Folder for data, bundles and logs")
    shards: int = Field(4, ge=1, le=4096, description="Partitions of every topic keyed by item, for good")
    slot: int = Field(0, ge=0, description="Which worker of its service this is; stable across restarts")
    inline_secret: str = Field(
        "",
        description="Secret with which ingest signs verdicts in line and the classifier knows them; empty: one is made"
        " in the data folder, which both must then share",
    )
    sampling_salt: str = Field(
        DEFAULT_SALT,
        min_length=1,
        description="Secret of the draws for audits and the review budget, the same for every worker and for good: who"
        " knows it can foresee which items people look at",
    )
    log_level: str = Field("info", description="debug, info, warning or error")


class LoopSettings(Settings):
    """Settings of a service that runs the loop."""

    metrics_port: int = Field(
        0, ge=0, le=65535, description="Port of /metrics, /healthz, /readyz; 0: any free one"
    )
    batch_records: int = Field(4000, ge=1, description="Records handled in one transaction at the most")
    batch_wait_ms: int = Field(
        100,
        ge=0,
        description="How long a batch may wait to fill after its first record while the worker is busy, ms",
    )
    batch_calm_ms: int = Field(10, ge=0, description="The same while it has time, ms")
    session_timeout_ms: int = Field(
        10_000, ge=1000, description="After which a silent worker loses its shards, ms"
    )
    transaction_timeout_ms: int = Field(
        10_000, ge=1000, description="After which Kafka aborts an open transaction, ms"
    )
    timer_check_ms: int = Field(100, ge=1, description="How often due timers are looked for, ms")
    metadata_refresh_ms: int = Field(
        5_000, ge=100, description="How soon the topic of a new source is found, ms"
    )
