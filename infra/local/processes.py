"""The processes of Sluicegate: the one list. The supervisor starts them from it, docker-compose.yml is held to it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from infra.local.ports import Port
from infra.local.settings import StackSettings

SHARED = (  # settings that every process is given
    "host",
    "kafka",
    "redis_url",
    "database_url",
    "clickhouse_url",
    "var",
    "shards",
    "ingest_url",
    "review_url",
    "analytics_url",
    "retrainer_url",
    "classifier_file",
)
# librdkafka takes what it never wrote for partitions when a broker comes back: zeros say nothing, anything else may end
# the process (decision 83). The allocator is the only place where that can be seen to; other platforms ignore it.
ZEROED_MEMORY = {"GLIBC_TUNABLES": "glibc.malloc.perturb=255:glibc.malloc.tcache_max=256"}


@dataclass(frozen=True)
class Process:
    """`python -m` `module`, serving /healthz, /readyz and /metrics on a port of its own."""

    name: str
    module: tuple[str, ...]  # the module and its arguments
    listens: str  # the process's setting for its port
    stack_port: str  # the stack's setting for the same port
    needs: str = ""  # a setting without which it does not run at all
    awaited: bool = True  # whether the stack is up only once it is ready

    @property
    def arguments(self) -> list[str]:
        """What follows `python`."""
        return ["-m", *self.module]

    def runs(self, settings: StackSettings) -> bool:
        """Whether it is part of the stack of these settings."""
        return not self.needs or bool(getattr(settings, self.needs))

    def command(self) -> list[str]:
        """With this very interpreter."""
        return [sys.executable, *self.arguments]

    def port(self, settings: StackSettings) -> Port:
        return Port(getattr(settings, self.stack_port), self.name, variable(self.stack_port))

    def health_url(self, settings: StackSettings) -> str:
        """The base of its /healthz, /readyz and /metrics."""
        return f"http://127.0.0.1:{self.port(settings).number}"

    def environment(self, settings: StackSettings) -> dict[str, str]:
        """Its settings as environment variables."""
        values = {variable(name): str(getattr(settings, name)) for name in SHARED}
        return {**ZEROED_MEMORY, **values, variable(self.listens): str(self.port(settings).number)}


def variable(setting: str) -> str:
    """The environment variable of a setting."""
    return f"SLUICEGATE_{setting.upper()}"


def _service(name: str) -> Process:
    return Process(name, (f"services.{name}",), f"{name}_port", f"{name}_port")


def _worker(name: str) -> Process:
    return Process(name, (f"services.{name}",), "metrics_port", f"{name}_metrics_port")


PROCESSES: Sequence[Process] = (
    _worker("classifier"),
    Process(  # waits, without harm, until a model of its tier is released; nobody waits for it
        "classifier-slow",
        ("services.classifier", "--tier", "slow"),
        "metrics_port",
        "classifier_slow_metrics_port",
        needs="classifier_file",
        awaited=False,
    ),
    _worker("router"),
    _worker("adjudicator"),
    _worker("clusters"),
    _worker("monitor"),
    Process("review-feed", ("services.review", "feed"), "metrics_port", "review_feed_metrics_port"),
    Process("review-api", ("services.review", "api"), "review_port", "review_port"),
    _service("retrainer"),
    _service("analytics"),
    _service("ingest"),
)
