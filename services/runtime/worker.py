"""The process around a loop: signals, logs, health."""

import signal
import sys
import threading
from typing import TypeVar

import structlog

from services.runtime.errors import RuntimeFault
from services.runtime.garbage import collect_rarely
from services.runtime.health import Health, serve_health
from services.runtime.logs import configure_logs
from services.runtime.loop import Loop
from services.runtime.metrics import LoopMetrics
from services.runtime.settings import LoopSettings
from services.runtime.stage import Wiring
from services.runtime.states import Due

S = TypeVar("S", bound=Due)
log = structlog.get_logger()


def stop_on_signals() -> threading.Event:
    """An event that SIGTERM and SIGINT set."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


def run_worker(wiring: Wiring[S], settings: LoopSettings, metrics: LoopMetrics | None = None) -> None:
    """Run a service's loop until SIGTERM.

    Exits with 1 and a log line that says why where the slot is another process's, the cluster is not as it must be,
    or anything else went wrong; a supervisor starts it again.
    """
    configure_logs(wiring.service, settings.log_level)
    stop = stop_on_signals()
    health, metrics = Health(), metrics or LoopMetrics()
    port = serve_health(health, metrics.registry, settings.host, settings.metrics_port)
    collect_rarely()
    log.info("started", slot=settings.slot, kafka=settings.kafka, metrics_port=port)
    try:
        Loop(wiring, settings, health, metrics, stop.is_set).run()
    except RuntimeFault as fault:
        log.error("ended", reason=str(fault), kind=type(fault).__name__)
        sys.exit(1)
    except Exception as exception:
        log.error("ended", reason=str(exception), kind=type(exception).__name__, exc_info=exception)
        sys.exit(1)
    log.info("stopped")
