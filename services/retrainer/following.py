"""Reading: both topics from their start to their end, then on and on, whatever the broker does."""

import threading
from collections.abc import Iterable

import structlog
from confluent_kafka import KafkaException

from services.retrainer import CONSUMES
from services.retrainer.retrainer import Retrainer
from services.runtime.errors import MissingTopic
from services.runtime.health import Health
from services.runtime.kafka import admin
from services.runtime.positions import partitions_of
from services.runtime.reading import WholeTopics
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
    """Feed the retrainer until `stop`. Waits for a broker, and for topics that are not there yet."""
    reader = None
    while reader is None and not stop.is_set():
        try:
            client = admin(settings)
            reader = WholeTopics(settings, "retrainer", partitions_of(client, topics))
            for record in reader.to_end(client, stop.is_set):
                retrainer.take(record)
        except (KafkaException, MissingTopic) as error:
            health.not_ready(str(error))
            log.warning("waiting", reason=str(error))
            if reader is not None:
                reader.close()  # what was read is read again: taking a record twice changes nothing
                reader = None
            stop.wait(RETRY_SECONDS)
    if reader is None:
        return
    log.info("labels read", labels=len(retrainer.labels), new=retrainer.new_labels())
    health.ready()
    while not stop.is_set():
        for record in reader.poll(POLL_SECONDS):
            retrainer.take(record)
        retrainer.tick()
    reader.close()
