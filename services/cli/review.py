"""`sluicegate review rebuild | status`."""

from __future__ import annotations

import time

import click
from redis import Redis, RedisError
from rich.console import Console
from rich.table import Table

from services.review.queue import Queues
from services.runtime.settings import Settings


@click.group()
def review() -> None:
    """The queues that people work."""


@review.command()
@click.option("--queue", help="Only this queue; otherwise all of them.")
@click.option("--timeout", default=120.0, show_default=True, help="Seconds to wait for the end of it.")
def rebuild(queue: str | None, timeout: float) -> None:
    """Rebuild queues in Redis from Kafka. Verdicts are refused meanwhile; nothing is lost."""
    queues = _queues()
    names = queues.names()
    if queue is not None and queue not in names:
        raise click.ClickException(f"there is no queue {queue}: take one of {', '.join(names) or 'none'}")
    wanted = [queue] if queue else names
    before = {name: queues.get(name).look().epoch for name in wanted}
    for name in wanted:
        queues.get(name).want_rebuild()
    deadline = time.monotonic() + timeout
    for name in wanted:
        while (now := queues.get(name).look()).state != "ready" or now.epoch == before[name]:
            if time.monotonic() > deadline:
                raise click.ClickException(
                    f"{name} is not rebuilt after {timeout:.0f} s (it is {now.state or 'empty'}): "
                    "is `python -m services.review feed` running? See its /readyz and log."
                )
            time.sleep(0.2)
        click.echo(f"{name}: {now.tasks} tasks, epoch {now.epoch}")


@review.command()
def status() -> None:
    """Show how the queues stand."""
    queues = _queues()
    table = Table("queue", "state", "epoch", "open", "held", "tasks", "copies", "oldest")
    for name in queues.names():
        found = queues.get(name).look()
        state = "paused" if found.paused else found.state
        age = f"{(found.now - found.oldest) / 1000:.0f} s" if found.oldest else ""
        numbers = (found.epoch or "", found.depth, found.held, found.tasks, found.waiting)
        table.add_row(name, state, *(str(number) for number in numbers), age)
    Console().print(table)


def _queues() -> Queues:
    settings = Settings()
    client = Redis.from_url(settings.redis_url)
    try:
        client.ping()
    except RedisError as error:
        raise click.ClickException(
            f"Redis does not answer at {settings.redis_url}: {error}. Is it up (`sluicegate up`)?"
        ) from error
    return Queues(client)
