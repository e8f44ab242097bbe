"""`sluicegate topics apply`."""

from __future__ import annotations

import click
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from pydantic import Field

from infra.topics import PartitionCountDiffers, apply, known_sources, plan
from services.events.topics import load_topics
from services.runtime.settings import Settings


class TopicSettings(Settings):
    """Settings of `topics apply`."""

    replication: int = Field(1, ge=1, description="Copies of every partition: 3 on a production cluster")


@click.group()
def topics() -> None:
    """Kafka's topics."""


@topics.command("apply")
def apply_topics() -> None:
    """Create the topics of schemas/topics.yaml and set their configs; never change a number of partitions."""
    settings = TopicSettings()
    admin = AdminClient({"bootstrap.servers": settings.kafka})
    try:
        wanted = plan(load_topics(), settings.shards, settings.replication, known_sources(admin))
        changes = apply(admin, wanted, settings.replication)
    except PartitionCountDiffers as error:
        raise click.ClickException(str(error)) from error
    except KafkaException as error:
        raise click.ClickException(
            f"Kafka at {settings.kafka} did not do it: {error.args[0].str()}. Is it up, and is SLUICEGATE_KAFKA right?"
        ) from error
    for change in changes:
        click.echo(f"{change.topic}: {change.done}")
    click.echo(f"{len(wanted)} topics are as schemas/topics.yaml wants them; {len(changes)} changes")
