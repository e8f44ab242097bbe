"""`sluicegate up | down | status | restart | topics apply`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from pydantic import Field, ValidationError
from rich.console import Console
from rich.table import Table

from infra import topics as kafka_topics
from infra.local.bootstrap import STEPS
from infra.local.errors import StackError
from infra.local.settings import StackSettings
from infra.local.stack import Stack
from services.events.topics import load_topics
from services.runtime.settings import Settings


@click.command()
def up() -> None:
    """Start Kafka, Redis and every service on this machine; harmless when they run."""
    with _explained():
        stack = _stack()
        if not stack.up():
            click.echo("it is up already")
        _addresses(stack)


@click.command()
def down() -> None:
    """Stop everything that `up` started; data stays."""
    with _explained():
        stopped = _stack().down()
    click.echo(f"stopped {', '.join(stopped)}" if stopped else "nothing was running")


@click.command()
def restart() -> None:
    """Down and up."""
    with _explained():
        stack = _stack()
        stack.down()
        stack.up()


@click.command()
def status() -> None:
    """Show every process, whether it is ready, and if not why; exit 1 unless all are."""
    with _explained():
        found = _stack().status()
    table = Table("process", "state", "pid", "up for", "ready", "at")
    for each in found:
        ready = "yes" if each.readiness.ready else each.readiness.reason
        table.add_row(each.name, each.state, str(each.pid or ""), f"{each.seconds} s", ready, each.url)
    Console().print(table)
    if not all(each.readiness.ready for each in found):
        raise SystemExit(1)


@click.group()
def topics() -> None:
    """Kafka's topics."""


class TopicSettings(Settings):
    """Settings of `topics apply`."""

    replication: int = Field(1, ge=1, description="Copies of every partition: 3 on a production cluster")


@topics.command("apply")
def apply_topics() -> None:
    """Create the topics of schemas/topics.yaml and set their configs; never change a number of partitions."""
    settings = TopicSettings()
    admin = AdminClient({"bootstrap.servers": settings.kafka})
    with _explained():
        sources = kafka_topics.known_sources(admin)
        wanted = kafka_topics.plan(load_topics(), settings.shards, settings.replication, sources)
        changes = kafka_topics.apply(admin, wanted, settings.replication)
    for change in changes:
        click.echo(f"{change.topic}: {change.done}")
    click.echo(f"{len(wanted)} topics as schemas/topics.yaml wants them, {len(changes)} changes")


def _stack() -> Stack:
    return Stack(StackSettings(), steps=STEPS, say=lambda line: click.echo(f"  {line}"))


def _addresses(stack: Stack) -> None:
    click.echo(f"console  {stack.settings.review_url}")
    click.echo(f"ingest   {stack.settings.ingest_url}")
    click.echo(f"charts   {stack.settings.analytics_url}")


@contextmanager
def _explained() -> Iterator[None]:
    """Errors that say what to do are shown as they are, without a traceback."""
    try:
        yield
    except (StackError, ValidationError, kafka_topics.PartitionCountDiffers) as error:
        raise click.ClickException(str(error)) from error
    except KafkaException as error:
        raise click.ClickException(
            f"Kafka did not do it: {error.args[0].str()}. Is it up (`sluicegate up`), and is SLUICEGATE_KAFKA right?"
        ) from error
