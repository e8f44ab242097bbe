"""`sluicegate policy backtest`: recorded items decided again by a candidate, and what would change."""

from __future__ import annotations

import json
from pathlib import Path

import click

from services.cli.options import ANALYST_KEY


@click.command()
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--live", is_flag=True, help="No candidate: each item by the policy that decided it. Changes nothing."
)
@click.option("--since", help="From then on: an instant in UTC, or a day. Default: all that is recorded.")
@click.option("--until", help="Before then.")
@click.option("--source", type=click.Choice(["kafka", "clickhouse"]), default="kafka", show_default=True)
@click.option(
    "--limit", type=click.IntRange(min=1), help="No more than so many items, evenly from the shards."
)
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@ANALYST_KEY
def backtest(
    file: Path | None,
    live: bool,
    since: str | None,
    until: str | None,
    source: str,
    limit: int | None,
    as_json: bool,
    key: str | None,
) -> None:
    """Put recorded items through the policy in FILE, and say what would change: decisions, queues, errors, examples.

    Alarms, the switch, copies and counters are those of the record; caps and the review budget are counted again.
    Nothing is released.
    """
    from rich.console import Console  # these bring SciPy, which no other command of `policy` needs
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from services.cli.backtesting.clickhouse import ClickHouseHistory
    from services.cli.backtesting.kafka import KafkaHistory
    from services.cli.backtesting.live import Certificates, Documents
    from services.cli.backtesting.picture import as_json as told
    from services.cli.backtesting.picture import show
    from services.cli.backtesting.run import run
    from services.cli.backtesting.span import Source, Span
    from services.cli.policies import check_lists, check_policy, explained, live_categories
    from services.policy.backtest import BUDGET_MINUTES, Lived, Trial
    from services.runtime.settings import Settings
    from services.scoring.live_lists import LiveLists

    if live == (file is not None):
        raise click.UsageError("give the FILE of a policy, or --live")
    settings, console = Settings(), Console(stderr=True)
    with explained(file):
        certificates = Certificates(settings)
        policies: Trial | Lived
        lists = LiveLists(settings.var)
        if file is None:
            policies, title, warm = (
                Lived(Documents(settings, key).of, certificates.of),
                "live policies",
                BUDGET_MINUTES,
            )
        else:
            candidate = check_policy(file, live_categories(settings))
            lists.lacking("candidate", check_lists(settings, candidate))
            policies, title = Trial(candidate, certificates.of), candidate.version
            warm = 1 if candidate.budget is None else BUDGET_MINUTES
        span = Span.of(since, until, limit, warm)
        history: Source = (
            KafkaHistory(settings, span) if source == "kafka" else ClickHouseHistory(settings, span, key)
        )
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=console) as shown:
            bar = shown.add_task(title, total=history.records)
            found = run(
                history, span, policies, lambda records: shown.update(bar, completed=records), lists.of_item
            )
            shown.update(bar, completed=history.records)
    if as_json:
        click.echo(json.dumps(told(found, title, certificates.missing)))
    else:
        show(Console(), found, title, certificates.missing)
