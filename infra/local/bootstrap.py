"""What `up` does between Kafka and the services: a worker without a model or a policy is not ready."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from infra.local.settings import StackSettings


@dataclass(frozen=True)
class Step:
    """One thing to do; doing it again does nothing. `run` is given the settings and where to report."""

    name: str
    run: Callable[[StackSettings, Callable[[str], None]], None]


STEPS: tuple[Step, ...] = ()
