"""`sluicegate keys …`: API keys of platforms and analysts."""

from __future__ import annotations

import getpass
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import click
import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from infra import topics
from services.events.fresh import fresh_id
from services.events.instants import from_millis
from services.events.topics import load_topics
from services.events.types import AuditRecorded
from services.runtime.acknowledged import AcknowledgedProducer, NotAcknowledged
from services.runtime.apikeys import ApiKey, KeyStore, Role, UnknownKey
from services.runtime.clock import now_ms
from services.runtime.kafka import admin
from services.runtime.publishing import Publisher
from services.runtime.settings import Settings

QUOTA = 60_000  # items a minute
SOURCE = r"[a-z0-9-]{1,40}"


def create_key(settings: Settings, source: str, quota: int = QUOTA, name: str = "") -> str:
    """A key that writes and reads items of a source, and the source's topic where it is missing. Returns the secret,
    which is to be had only now. KafkaException or NotAcknowledged where Kafka is away.
    """
    client = admin(settings)
    sources = topics.known_sources(client) | {source}
    planned = topics.plan(load_topics(), settings.shards, sources=sources)
    wanted = f"content.submitted.{source}"
    topics.apply(client, [topic for topic in planned if topic.name == wanted])
    return _create(settings, name or source, "source", source, quota)


def create_analyst_key(settings: Settings, name: str, quota: int = 600) -> str:
    """A key that may ask analytics in SQL and read every source. Returns the secret, which is to be had only now."""
    return _create(settings, name, "analyst", None, quota)


def _create(settings: Settings, name: str, role: Role, source: str | None, quota: int) -> str:
    store = KeyStore(settings.database_url)
    key, secret = store.create(name, role, source, quota)
    _record(settings, key, "key.created", {"role": role, "quota": quota})
    return secret


def revoke_key(settings: Settings, key_id: str) -> ApiKey:
    """Ends the key of this id, or of the only id that begins so; services know within seconds. Raises UnknownKey."""
    store = KeyStore(settings.database_url)
    key = store.revoke(store.named(key_id).key_id)
    _record(settings, key, "key.revoked", {})
    return key


def _record(settings: Settings, key: ApiKey, action: str, detail: Mapping[str, Any]) -> None:
    """Says in audit.recorded who made or ended a key."""
    now = now_ms()
    event = AuditRecorded(
        event_id=fresh_id(now),
        occurred_at=from_millis(now),
        actor=_person(),
        actor_kind="cli",
        action=action,
        subject=f"{key.name} ({key.key_id})",
        source=key.source,
        detail=msgspec.to_builtins(dict(detail)),
    )
    producer = AcknowledgedProducer(settings)
    try:
        producer.send_all([Publisher("cli", load_topics()).outgoing(event, event.actor)])
    finally:
        producer.close()


def _person() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


@click.group()
def keys() -> None:
    """API keys of platforms (one source each) and analysts."""


@keys.command()
@click.option("--source", help="The platform whose items it writes and reads, [a-z0-9-]{1,40}.")
@click.option("--analyst", is_flag=True, help="A key for SQL instead: `sluicegate query`.")
@click.option(
    "--quota", type=click.IntRange(1, 100_000_000), default=None, help="Items, or questions, a minute."
)
@click.option("--name", default="", help="Whose it is, as the list and the audit trail show it.")
def create(source: str | None, analyst: bool, quota: int | None, name: str) -> None:
    """Make a key and print it, once."""
    if analyst == bool(source):
        raise click.UsageError("give --source NAME or --analyst, not both")
    settings = Settings()
    try:
        if source:
            if not re.fullmatch(SOURCE, source):
                raise click.BadParameter(f"must match {SOURCE}", param_hint="--source")
            secret = create_key(settings, source, quota or QUOTA, name)
        else:
            secret = create_analyst_key(settings, name or "analyst", quota or 600)
    except NotAcknowledged as error:
        raise click.ClickException(
            f"the key is made, but Kafka did not take its audit event: {error}"
        ) from error
    click.echo(secret)
    click.echo("This is shown only now: keep it where nobody else reads it.", err=True)


@keys.command("list")
def list_keys() -> None:
    """Every key, without its secret."""
    rows = []
    for key in KeyStore(Settings().database_url).all():
        made = datetime.fromtimestamp(key.created_at, UTC).strftime("%Y-%m-%d %H:%M")
        state = "revoked" if key.revoked_at else "valid"
        rows.append((key.key_id, key.name, key.role, key.source or "", str(key.quota), made, state))
    _print(("id", "name", "role", "source", "quota a minute", "created", "state"), rows)


def _print(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table on a terminal, never at the cost of the first column; lines with tabs for another program."""
    console = Console()
    if not console.is_terminal:
        for line in (heads, *rows):
            click.echo("\t".join(line))
        return
    table = Table(
        Column(heads[0], no_wrap=True, min_width=max(len(row[0]) for row in (heads, *rows))), *heads[1:]
    )
    for row in rows:
        table.add_row(*(escape(cell) for cell in row))
    console.print(table)


@keys.command()
@click.argument("key_id")
def revoke(key_id: str) -> None:
    """End the key KEY_ID, for good, within seconds; the beginning of the id will do where only one begins so."""
    try:
        key = revoke_key(Settings(), key_id)
    except UnknownKey as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{key.name} ({key.key_id}) is revoked")
