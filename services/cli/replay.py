"""`sluicegate replay FILE`: plays a file of posts in, as a platform would."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import click
import httpx
from confluent_kafka import KafkaException
from pydantic import Field
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from infra.topics import known_sources
from services.cli.options import Number, SecretKey
from services.cli.rows import Layout, Row, UnreadableFile, rows
from services.cli.sending import HttpSender, KafkaSender, Sender
from services.events.instants import from_millis
from services.events.topics import load_topics
from services.events.types import ContentSubmitted, Item
from services.runtime.acknowledged import AcknowledgedProducer
from services.runtime.clock import now_ms
from services.runtime.kafka import admin
from services.runtime.publishing import Publisher
from services.runtime.settings import Settings

LARGEST, LONGEST = 500, 0.2  # of a batch: items, and seconds of the wanted rate


class ReplaySettings(Settings):
    """Where posts go."""

    ingest_url: str = Field("http://127.0.0.1:8080", description="Where ingest answers")


class Refused(Exception):
    """Nothing of this will be taken, whatever is sent: the key is none, or none for this. The text is the reason."""


@dataclass
class Summary:
    """What became of the posts of a file."""

    sent: int = 0
    accepted: int = 0
    reasons: Counter[str] = field(default_factory=Counter)  # of those that were not

    @property
    def rejected(self) -> int:
        return self.reasons.total()


def play(
    posts: Iterable[Row],
    sender: Sender,
    source: str,
    kind: str = "post",
    rate: float | None = None,
    progress: Callable[[int], object] = lambda sent: None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Summary:
    """Sends every post, `rate` a second at the most (None: as fast as it is taken), and sums up the answers.

    Raises Refused at the first 401 or 403: those after it would be answered the same.
    """
    size = LARGEST if rate is None else max(1, min(LARGEST, int(rate * LONGEST)))
    summary, started = Summary(), clock()
    for batch in _batches(iter(posts), size):
        if rate is not None and (early := started + summary.sent / rate - clock()) > 0:
            sleep(early)
        for answer in sender.send([_event(row, source, kind) for row in batch]):
            if answer.status in (401, 403):
                raise Refused(f"stopped after {summary.sent} posts: {answer.status} {answer.detail}".strip())
            summary.sent += 1
            if answer.status == 202:
                summary.accepted += 1
            else:
                summary.reasons[f"{answer.status} {answer.detail}".strip()] += 1
        progress(summary.sent)
    return summary


def _event(row: Row, source: str, kind: str) -> ContentSubmitted:
    item = Item(kind=kind, text=row.text, submitted_at=from_millis(now_ms()))
    return ContentSubmitted(source=source, item_id=row.item_id, revision=1, item=item)


def _batches(posts: Iterator[Row], size: int) -> Iterator[list[Row]]:
    while batch := list(islice(posts, size)):
        yield batch


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--text-column", required=True, help="The column, or field, of the text.")
@click.option("--id-column", help="That of the id; without it ids are made of the row's number and text.")
@click.option("--columns", help="Names of the columns, comma-separated, where the file has no header.")
@click.option("--rate", type=Number(min=0, min_open=True), help="Posts a second at the most.")
@click.option("--limit", type=click.IntRange(min=1), help="No more than so many posts.")
@click.option("--kind", default="post", show_default=True, help="What they are: post, comment …")
@click.option(
    "--key",
    type=SecretKey(),
    metavar="KEY",
    envvar="SLUICEGATE_KEY",
    help="API key; or SLUICEGATE_KEY. Its source owns the items.",
)
@click.option("--url", help="Where ingest answers; or SLUICEGATE_INGEST_URL.")
@click.option("--kafka", "direct", is_flag=True, help="Straight to Kafka instead; needs --source.")
@click.option("--source", default="demo", show_default=True, help="The source, with --kafka.")
def replay(
    file: Path,
    text_column: str,
    id_column: str | None,
    columns: str | None,
    rate: float | None,
    limit: int | None,
    kind: str,
    key: str | None,
    url: str | None,
    direct: bool,
    source: str,
) -> None:
    """Play the posts of FILE (.csv, .tsv or .jsonl) in, and say what became of them."""
    if not direct and not key:
        raise click.UsageError("give --key (`sluicegate keys create --source NAME` makes one), or --kafka")
    settings, console = ReplaySettings(), Console(stderr=True)
    layout = Layout(text_column, id_column, columns.split(",") if columns else None)
    try:
        total = sum(1 for _ in islice(rows(file, layout), limit))  # a file that cannot be read sends nothing
        with ExitStack() as stack:
            if direct:
                _check_topic(settings, source)
                producer = AcknowledgedProducer(settings)
                stack.callback(producer.close)
                sender: Sender = KafkaSender(producer, Publisher(source, load_topics()))
            else:
                client = stack.enter_context(httpx.Client(base_url=url or settings.ingest_url, timeout=30))
                sender = HttpSender(client, key or "")
            shown = stack.enter_context(_progress(console))
            bar = shown.add_task(file.name, total=total)
            posts = stack.enter_context(closing(rows(file, layout)))
            summary = play(
                islice(posts, limit),
                sender,
                source,
                kind,
                rate,
                progress=lambda sent: shown.update(bar, completed=sent),
            )
    except (UnreadableFile, Refused) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"sent {summary.sent}, accepted {summary.accepted}, rejected {summary.rejected}")
    for reason, number in summary.reasons.most_common(10):
        click.echo(f"  {number} x {reason}")
    if summary.rejected:
        raise SystemExit(1)


def _check_topic(settings: Settings, source: str) -> None:
    """Raises ClickException where there is no topic for the source."""
    try:
        known = known_sources(admin(settings))
    except KafkaException as error:
        raise click.ClickException(
            f"Kafka did not answer: {error.args[0].str()}. Is it up (`sluicegate up`), and is SLUICEGATE_KAFKA right?"
        ) from error
    if source not in known:
        raise click.ClickException(
            f"there is no topic for source {source!r}: `sluicegate keys create --source {source}` makes it;"
            f" there is {', '.join(sorted(known)) or 'none'}"
        )


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
    )
