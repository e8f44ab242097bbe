"""Reading: both topics from their start to their end, then on and on, whatever the broker does."""

import threading
from collections.abc import Iterable

import structlog
from confluent_kafka import KafkaException

from services.retrainer import CONSUMES
from services.retrainer.retrainer import Retrainer
from services.runtime.errors import MissingTopic, Stalled
from services.runtime.health import Health
from services.runtime.reading import whole_topics
from services.runtime.settings import Settings

log = structlog.get_logger()
RETRY_SECONDS = 1.0
POLL_SECONDS = 0.5


def follow(
    settings: Settings,
    retrainer: Retrainer,
    health: Health,
    stop: threading.Event,
    topics: Iterable[str] = CONSUMES,
) -> None:
    """Feed the retrainer until `stop`. Waits for a broker, and for topics that are not there yet, and then reads from
    the start: taking a record twice changes nothing.
    """
    while not stop.is_set():
        reader = None
        try:
            reader = whole_topics(settings, "retrainer", topics)
            for record in reader.to_end(stop.is_set):
                retrainer.take(record)
            log.info("labels read", labels=len(retrainer.labels), new=retrainer.new_labels())
            health.ready()
            while not stop.is_set():
                for record in reader.poll(POLL_SECONDS):
                    retrainer.take(record)
                retrainer.tick()
        except (KafkaException, MissingTopic, Stalled) as error:
            health.not_ready(str(error))
            log.warning("waiting", reason=str(error))
            stop.wait(RETRY_SECONDS)
        finally:
            if reader is not None:
                reader.close()
