"""Settings of the monitor."""

from pydantic import Field

from services.runtime.settings import Settings


class MonitorSettings(Settings):
    """How time is cut, what is allowed where policy does not say, and how Faust keeps in touch with Kafka."""

    metrics_port: int = Field(
        0, ge=0, le=65535, description="Port of /metrics, /healthz, /readyz; 0: any free one"
    )
    step_seconds: int = Field(
        60, ge=1, description="Length of a throughput window, and by how much the others hop, s"
    )
    agreement_seconds: int = Field(
        3600, ge=1, description="Length of the window of agreement between people, s"
    )
    grace_seconds: float = Field(
        5, ge=0, description="How long a window waits for late events after its end, s"
    )
    late_seconds: int = Field(
        900,
        ge=1,
        description="An event that is older is not counted, a window that is older not published, s",
    )
    check_seconds: float = Field(2, gt=0, description="How often windows and alarms are looked at, s")
    max_disagreement: float = Field(
        0.5,
        ge=0,
        le=1,
        description="Share of settled tasks that model and people may differ on; policy goes first",
    )
    min_count: int = Field(
        50, ge=1, description="Settled tasks that an alarm rests on at the least; policy goes first"
    )
    window_seconds: int = Field(
        3600, ge=1, description="Length of the window of model against people, s; policy goes first"
    )
    clear_share: float = Field(
        0.8,
        ge=0,
        le=1,
        description="An alarm ends below this share of what is allowed, so that it does not flap",
    )
    recount_timeout_seconds: float = Field(5, gt=0, description="How long analytics may take to recount, s")
    session_timeout_seconds: float = Field(
        10,
        ge=1,
        description="After which a silent worker loses its partitions; Faust's own 60 s is a long wait, s",
    )
    heartbeat_seconds: float = Field(3, gt=0, description="How often the worker tells Kafka that it lives, s")
