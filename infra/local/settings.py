"""Settings of the local stack: where each part listens. Every port can be moved, so stacks can run side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from infra.local.errors import WrongSetting
from infra.local.ports import LOOPBACK, free_ports
from services.runtime.settings import Settings

PortNumber = Annotated[int, Field(ge=1, le=65535)]


class StackSettings(Settings):
    """What the local stack adds to what every process knows. URLs and the database follow from the ports and the
    data folder unless they are given.
    """

    kafka_controller_port: PortNumber = Field(19093, description="Kafka's second port, for its controller")
    kafka_jars: Path | None = Field(
        None, description="Folder with Kafka's jars; empty: fetched once from the index"
    )
    classifier_file: str = Field(
        "",
        description="classifier.yaml, which configures a slow tier; empty: there is none, and no process of it",
    )
    ready_seconds: int = Field(180, ge=1, description="How long `up` waits for every process to be ready, s")

    ingest_port: PortNumber = Field(8080, description="Port of ingest")
    review_port: PortNumber = Field(8081, description="Port of the review API and console")
    analytics_port: PortNumber = Field(8082, description="Port of analytics")
    retrainer_port: PortNumber = Field(8083, description="Port of the retrainer")
    classifier_metrics_port: PortNumber = Field(9101, description="Port of the classifier's /metrics")
    classifier_slow_metrics_port: PortNumber = Field(9106, description="Port of the slow tier's /metrics")
    router_metrics_port: PortNumber = Field(9102, description="Port of the router's /metrics")
    adjudicator_metrics_port: PortNumber = Field(9103, description="Port of the adjudicator's /metrics")
    review_feed_metrics_port: PortNumber = Field(9104, description="Port of the review feed's /metrics")
    monitor_metrics_port: PortNumber = Field(9105, description="Port of the monitor's /metrics")
    clusters_metrics_port: PortNumber = Field(9107, description="Port of clusters' /metrics")

    ingest_url: str = Field("", description="Where ingest answers")
    review_url: str = Field("", description="Where review answers")
    retrainer_url: str = Field("", description="Where the retrainer answers")

    @model_validator(mode="after")
    def _derive(self) -> Self:
        given = set(self.model_fields_set)
        self.var = self.var.absolute()
        if "database_url" not in given:
            self.database_url = f"sqlite:///{self.var}/sluicegate.db"
        for service in ("ingest", "review", "analytics", "retrainer"):
            if f"{service}_url" not in given:
                setattr(self, f"{service}_url", f"http://127.0.0.1:{getattr(self, f'{service}_port')}")
        return self

    @property
    def kafka_port(self) -> int:
        """Raises WrongSetting when SLUICEGATE_KAFKA is not one address of loopback."""
        return _loopback_port(self.kafka, f"//{self.kafka}", "SLUICEGATE_KAFKA", "127.0.0.1:19092")

    @property
    def redis_port(self) -> int:
        """Raises WrongSetting when SLUICEGATE_REDIS_URL is not on loopback."""
        return _loopback_port(
            self.redis_url, self.redis_url, "SLUICEGATE_REDIS_URL", "redis://127.0.0.1:16379/0"
        )


def on_free_ports(var: Path, **given: Any) -> StackSettings:
    """Settings of a stack beside others: its own folder, free ports, and whatever else is `given`."""
    names = [name for name in StackSettings.model_fields if name.endswith("_port")]
    kafka, redis, *others = free_ports(2 + len(names))
    free: dict[str, Any] = {
        "var": var,
        "kafka": f"{LOOPBACK}:{kafka}",
        "redis_url": f"redis://{LOOPBACK}:{redis}/0",
        **dict(zip(names, others, strict=True)),
    }
    return StackSettings(**(free | given))


def _loopback_port(value: str, url: str, setting: str, example: str) -> int:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if host not in ("127.0.0.1", "localhost") or port is None:
        raise WrongSetting(
            f"{setting}={value}: the local stack starts its own server on 127.0.0.1 and needs an address like"
            f" {example}. To use servers elsewhere, start the services without it (see docker-compose.yml)."
        )
    return port
