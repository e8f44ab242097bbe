"""`sluicegate dead-letters …`: what services could not handle, and bringing it back once the cause is mended."""

from __future__ import annotations

from collections.abc import Iterable

import click
from confluent_kafka import KafkaException
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from services.events.instants import from_millis
from services.runtime.clock import now_ms
from services.runtime.errors import RuntimeFault
from services.runtime.letters import CannotReplay, Letter, read_letters, replay
from services.runtime.settings import Settings

PREVIEW = 60  # characters of a value


@click.group("dead-letters")
def dead_letters() -> None:
    """Records that could not be handled."""


def chosen(letters: Iterable[Letter], error: str | None, topic: str | None) -> list[Letter]:
    """The letters with this error and of this topic (or base of topics), where they are given."""
    return [
        each
        for each in letters
        if (error is None or each.error == error)
        and (topic is None or each.topic == topic or each.topic.startswith(f"{topic}."))
    ]


@dead_letters.command("list")
@click.option("--error", help="Only those with this error, as the list shows it.")
@click.option("--topic", help="Only those of this topic, as in content.submitted or content.submitted.demo.")
@click.option("--all", "everything", is_flag=True, help="Those that were brought back as well.")
def list_letters(error: str | None, topic: str | None, everything: bool) -> None:
    """What was set aside, and why."""
    letters = [each for each in chosen(_read(Settings()), error, topic) if everything or not each.replayed]
    table = Table("id", "when", "service", "topic", "error", "reason", "bytes", "value")
    for each in letters:
        size = "" if each.value is None else str(len(each.value))
        cells = (
            each.service,
            each.topic,
            each.error + (" (replayed)" if each.replayed else ""),
            each.reason[:200],
        )
        table.add_row(
            each.letter_id,
            from_millis(each.failed_at),
            *map(escape, cells),
            size,
            escape(preview(each.value)),
        )
    Console().print(table)
    click.echo(f"{len(letters)} dead letters")


@dead_letters.command("replay")
@click.argument("ids", nargs=-1)
@click.option("--error", help="All with this error.")
@click.option("--topic", help="All of this topic, as in content.submitted or content.submitted.demo.")
@click.option("--all", "everything", is_flag=True, help="All there are.")
def replay_letters(ids: tuple[str, ...], error: str | None, topic: str | None, everything: bool) -> None:
    """Bring letters back to where they came from, by id or by filter; each once."""
    if not (ids or error or topic or everything):
        raise click.UsageError("name the ids to replay, or --error, --topic or --all")
    settings = Settings()
    letters = chosen(_read(settings), error, topic)
    if ids:
        unknown = set(ids) - {each.letter_id for each in letters}
        if unknown:
            raise click.ClickException(f"no dead letter has the id {', '.join(sorted(unknown))}")
        letters = [each for each in letters if each.letter_id in ids]
    try:
        brought = replay(settings, (each.letter_id for each in letters), now_ms())
    except (CannotReplay, RuntimeFault, KafkaException) as problem:
        raise click.ClickException(str(problem)) from problem
    click.echo(f"{len(brought)} replayed, {len(letters) - len(brought)} were already")


def preview(value: bytes | None) -> str:
    """The beginning of a value as text that a terminal can show."""
    if value is None:
        return "(null)"
    text = value[: PREVIEW * 4].decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else "�" for c in text)[:PREVIEW]


def _read(settings: Settings) -> list[Letter]:
    try:
        return read_letters(settings)
    except (RuntimeFault, KafkaException) as problem:
        raise click.ClickException(str(problem)) from problem
