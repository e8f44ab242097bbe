"""Settings of the two processes of review."""

from pathlib import Path

from pydantic import Field

from services.runtime.settings import Settings

CONSOLE = Path(__file__).parent.parent / "console" / "dist"


class BoardSettings(Settings):
    """What the feed and the API must agree on."""

    acknowledge_ms: int = Field(
        5_000,
        ge=100,
        description="How long Kafka may take to acknowledge a verdict, ms; a rebuild waits it out",
    )


class FeedSettings(BoardSettings):
    """Settings of `python -m services.review feed`."""

    metrics_port: int = Field(
        0, ge=0, le=65535, description="Port of /metrics, /healthz, /readyz; 0: any free"
    )
    metadata_refresh_ms: int = Field(5_000, ge=100, description="How soon a new queue is found, ms")
    review_tick_ms: int = Field(
        500, ge=10, description="How often leases are swept and a flush is looked for, ms"
    )
    review_batch: int = Field(500, ge=1, description="Records taken from Kafka at once, at the most")
    review_marks_ms: int = Field(
        3_600_000, ge=1000, description="How long it is kept why a task is over, for those who come late, ms"
    )
    review_copies_ms: int = Field(
        30_000,
        ge=0,
        description="How long the router has to close copies of what people decided before they are shown, ms",
    )


class ApiSettings(BoardSettings):
    """Settings of `python -m services.review api`."""

    review_port: int = Field(8081, ge=0, le=65535, description="Port of the API and the console")
    review_undo_seconds: float = Field(5, ge=0, description="How long a verdict may be taken back, s")
    review_undo_margin_ms: int = Field(
        500,
        ge=0,
        description="Added to final_at, so that a retraction of the last moment is in Kafka before it, ms",
    )
    review_pending_ms: int = Field(
        15_000, ge=1000, description="How long a seat is kept for a verdict on its way to Kafka, ms"
    )
    review_skip_seconds: int = Field(
        600, ge=0, description="For which a released task is not offered again, s"
    )
    review_hold: int = Field(3, ge=1, description="Tasks of a queue that one person may hold at once")
    review_run: int = Field(
        20,
        ge=1,
        description="Near copies that a person is given in a row, before the earliest deadline counts again; 1: none",
    )
    review_categories: str = Field(
        "toxicity,hate,spam", description="Categories to choose from besides those of a task's scores"
    )
    review_session_hours: int = Field(12, ge=1, description="After which a login ends, h")
    review_login_failures: int = Field(5, ge=1, description="Failed logins of a name a minute")
    review_login_failures_address: int = Field(
        50, ge=1, description="Failed logins of an address a minute: a whole office may share one"
    )
    review_https: bool = Field(
        False, description="Whether people reach it over HTTPS: cookies are then Secure"
    )
    review_console: Path = Field(CONSOLE, description="Folder of the built console")

    def categories(self) -> tuple[str, ...]:
        """The names in `review_categories`."""
        return tuple(name for each in self.review_categories.split(",") if (name := each.strip()))
