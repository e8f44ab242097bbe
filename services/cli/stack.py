"""`sluicegate up | down | status | restart`: the local stack."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import click
import httpx
from confluent_kafka import KafkaException
from pydantic import ValidationError

from infra.local.access import demo_access
from infra.local.bootstrap import shown
from infra.local.errors import StackError
from infra.local.live import lag, live_versions, queues
from infra.local.settings import StackSettings
from infra.local.stack import Stack
from infra.topics import PartitionCountDiffers
from services.runtime.errors import RuntimeFault


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
        stack = _stack()
        stopped = stack.down()
    click.echo(f"stopped {', '.join(stopped)}" if stopped else f"nothing was running in {stack.settings.var}")


@click.command()
def restart() -> None:
    """Down and up."""
    with _explained():
        stack = _stack()
        stack.down()
        stack.up()


@click.command()
def status() -> None:
    """Show every process, whether it is ready, and if not why, and what is live; exit 1 unless all are ready."""
    with _explained():
        stack = _stack()
        found = stack.status()
    click.echo(f"stack in {stack.settings.var}")
    click.echo(f"{'process':12} {'state':8} {'pid':>7} {'up for':>10}  ready")
    with httpx.Client(timeout=2) as client:
        for each in found:
            ready = "yes" if each.readiness.ready else f"no: {each.readiness.reason}"
            behind = lag(client, each.url) if each.url.startswith("http") else {}
            waiting = ", ".join(
                f"{records} of {topic}" for topic, records in sorted(behind.items()) if records
            )
            age = timedelta(seconds=each.seconds)
            line = f"{each.name:12} {each.state:8} {each.pid or '':>7} {age!s:>10}  {ready}"
            click.echo(f"{line}; to consume: {waiting}" if waiting else line)
    if found[0].readiness.ready:
        _say_what_is_live(stack)
    if not any(each.pid for each in found):
        click.echo(
            f"nothing runs in {stack.settings.var}: `sluicegate up` starts it;"
            " a stack of another folder is seen from there, or with SLUICEGATE_VAR"
        )
    if not all(each.readiness.ready for each in found):
        raise SystemExit(1)


def _say_what_is_live(stack: Stack) -> None:
    try:
        versions = live_versions(stack.settings)
    except (RuntimeFault, KafkaException) as error:
        click.echo(f"what is live cannot be told: {error}")
        return
    for what in ("model fast", "policy"):
        click.echo(f"{what}: {versions.pop(what, 'none is live')}")
    for what, version in sorted(versions.items()):
        click.echo(f"{what}: {version}")
    [feed] = [process for process in stack.processes if process.name == "review-feed"]
    with httpx.Client(timeout=2) as client:
        for queue, (depth, oldest) in queues(client, feed.health_url(stack.settings)).items():
            click.echo(
                f"queue {queue}: {depth} open"
                + (f", the oldest for {timedelta(seconds=oldest)}" if oldest else "")
            )


def _stack() -> Stack:
    return Stack(StackSettings(), say=lambda line: click.echo(f"  {line}"))


def _addresses(stack: Stack) -> None:
    click.echo(f"console  {stack.settings.review_url}")
    click.echo(f"ingest   {stack.settings.ingest_url}")
    click.echo(f"charts   {stack.settings.analytics_url}")
    for line in shown(demo_access(stack.settings)):
        click.echo(line)


@contextmanager
def _explained() -> Iterator[None]:
    """Errors that say what to do are shown as they are, without a traceback."""
    try:
        yield
    except (StackError, ValidationError, PartitionCountDiffers, RuntimeFault) as error:
        raise click.ClickException(str(error)) from error
    except KafkaException as error:
        raise click.ClickException(
            f"Kafka did not do it: {error.args[0].str()}. Is it up (`sluicegate up`), and is SLUICEGATE_KAFKA right?"
        ) from error
