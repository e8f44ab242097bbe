"""Whether Kafka answers: what /readyz of ingest says."""

import threading

from confluent_kafka import KafkaException

from services.ingest.settings import IngestSettings
from services.runtime.health import Health
from services.runtime.kafka import admin

PROBE_SECONDS = 2.0


def watch_kafka(settings: IngestSettings, health: Health, stopping: threading.Event) -> None:
    """Ready while Kafka answers."""
    client = admin(settings)
    while not stopping.is_set():
        try:
            client.list_topics(timeout=PROBE_SECONDS)
            health.ready()
        except KafkaException as error:
            health.not_ready(
                f"no Kafka at {settings.kafka} ({error.args[0].name()}): start it, or set SLUICEGATE_KAFKA"
            )
        stopping.wait(PROBE_SECONDS)
