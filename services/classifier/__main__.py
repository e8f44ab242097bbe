"""`python -m services.classifier [--tier fast|slow]`: one worker of a tier."""

import argparse
import sys

import structlog

from services.classifier import BROADCASTS, PRODUCES
from services.classifier.core import Scored
from services.classifier.settings import ClassifierSettings
from services.classifier.slow_stage import SlowStage
from services.classifier.slow_tier import ClassifierFileError, SlowTier, load_slow_tier
from services.classifier.stage import ClassifierStage
from services.classifier.summary import Summary
from services.events.topics import Topics, load_topics
from services.runtime.publishing import Publisher
from services.runtime.shared_secret import INLINE, shared_secret
from services.runtime.stage import Stateless, Wiring
from services.runtime.worker import run_worker
from services.scoring.live_model import LiveModel

log = structlog.get_logger()


def wiring(settings: ClassifierSettings, topics: Topics, slow: SlowTier | None) -> Wiring[Stateless]:
    """A worker of the tier of the settings, connected; each tier is a consumer group of its own."""
    service = "classifier" if settings.tier == "fast" else "classifier-slow"
    live = LiveModel(settings.tier, settings.var)
    publisher = Publisher(service, topics, derived=[Scored])
    summary = Summary(f"{service}-{settings.slot}", settings.summary_seconds * 1000, settings.tier)
    fast = settings.tier == "fast"
    return Wiring(
        service=service,
        stage=ClassifierStage(live, publisher, summary, slow, _inline_secret(settings))
        if fast
        else SlowStage(live, publisher, summary),
        consumes=("content.submitted",) if fast else ("content.uncertain",),
        broadcasts=BROADCASTS,
        produces=PRODUCES,
    )


def _inline_secret(settings: ClassifierSettings) -> bytes:
    return shared_secret(settings.inline_secret, settings.var, INLINE)


def main() -> None:
    """Wire and run. Exits with 1 where classifier.yaml cannot be used."""
    settings = ClassifierSettings()
    options = argparse.ArgumentParser(prog="python -m services.classifier")
    options.add_argument(
        "--tier", choices=("fast", "slow"), default=settings.tier, help="default: %(default)s"
    )
    settings.tier = options.parse_args().tier
    if settings.tier == "slow":
        settings.batch_records = min(settings.batch_records, settings.slow_batch_records)
    try:
        slow = load_slow_tier(settings.slow_tier_file)
    except ClassifierFileError as error:
        log.error("ended", reason=str(error), kind=type(error).__name__)
        sys.exit(1)
    run_worker(wiring(settings, load_topics(), slow), settings)


if __name__ == "__main__":
    main()
