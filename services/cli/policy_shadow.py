"""`sluicegate policy shadow`: a candidate is tried beside the live policy, and what it would have changed is told."""

from __future__ import annotations

import re
from pathlib import Path

import click

from services.cli import trials
from services.cli.options import ANALYST_KEY, Number
from services.cli.policies import (
    check_lists,
    check_text,
    explained,
    live_categories,
    live_points,
    live_policy,
    person,
    policy_text,
)
from services.cli.shadow_report import report
from services.events.topics import load_topics
from services.events.types import AuditRecorded, PolicyShadowed
from services.runtime.acknowledged import AcknowledgedProducer
from services.runtime.publishing import Publisher
from services.runtime.settings import Settings

UNITS = {"m": 60_000, "h": 3_600_000, "d": 86_400_000}  # ms
LONGEST_MS = 30 * UNITS["d"]
DURATION = re.compile(r"([1-9][0-9]{0,5})([mhd])")


class Duration(click.ParamType):
    """As in 30m, 24h, 7d; in ms."""

    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        found = DURATION.fullmatch(str(value))
        if found is None:
            self.fail(f"{value!r} is no duration: write it as 30m, 24h or 7d", param, ctx)
        lasting = int(found[1]) * UNITS[found[2]]
        if lasting > LONGEST_MS:
            self.fail(f"{value} is too long: a trial lasts 30 days at most", param, ctx)
        return lasting


@click.command()
@click.argument(
    "file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="[FILE]"
)
@click.option("--reason", help="Why, for the audit trail.")
@click.option(
    "--share",
    type=Number(0, 1, min_open=True),
    default=1.0,
    show_default=True,
    help="Of the items that it is asked about.",
)
@click.option("--for", "lasting", type=Duration(), default="24h", show_default=True, help="30m, 24h, 7d …")
@click.option("--stop", is_flag=True, help="End the trial that is on.")
@click.option("--report", "reporting", is_flag=True, help="What the candidate would have changed so far.")
@click.option("--trial", metavar="ID", help="With --report: an earlier trial. Default: the latest.")
@click.option(
    "--examples", type=click.IntRange(0, 1000), default=10, show_default=True, help="With --report."
)
@click.option("--json", "as_json", is_flag=True, help="With --report, for programs.")
@ANALYST_KEY
def shadow(
    file: Path | None,
    reason: str | None,
    share: float,
    lasting: int,
    stop: bool,
    reporting: bool,
    trial: str | None,
    examples: int,
    as_json: bool,
    key: str | None,
) -> None:
    """Try the policy in FILE beside the live one: it is asked about the same items, and decides nothing.

    Without FILE: say what is tried. One is tried at a time; another takes its place.
    """
    settings = Settings()
    if (file is not None) + stop + reporting > 1:
        raise click.UsageError("give one of FILE, --stop and --report")
    if reporting:
        report(settings, trial, examples, as_json, key)
    elif stop:
        _stop(settings, reason)
    elif file is not None:
        if not reason:
            raise click.UsageError("give --reason: it is written to the audit trail")
        _begin(settings, file, share, lasting, reason)
    else:
        with explained(None):
            on = trials.tried(settings)
        click.echo(_told(on) if on else "no candidate is tried: `sluicegate policy shadow FILE --reason …`")


def _begin(settings: Settings, file: Path, share: float, lasting: int, reason: str) -> None:
    with explained(file):
        text = policy_text(file)
        candidate = check_text(text, live_categories(settings), live_points(settings))
        check_lists(settings, candidate)
        live = live_policy(settings)
        if live is None:
            raise click.ClickException("no policy is live to try it beside: `sluicegate policy release FILE`")
        if live.policy_version == candidate.version:
            raise click.ClickException(
                f"{candidate.version} is live: change it, then try it beside the live one"
            )
        before = trials.tried(settings)
        begun, audit = trials.beginning(candidate, text, live, share, lasting, person(), reason)
        _send(settings, begun, audit)
    if before is not None:
        click.echo(f"instead of {before.policy_version}, which was tried until now")
    click.echo(_told(begun))
    counted = set(check_text(live.document).counters)
    if unknown := sorted(set(candidate.counters) - counted):
        click.echo(
            f"its rules find no counters {', '.join(unknown)}: the live policy does not count them."
            " List them under `counters` there, and release it, before you trust the figures",
            err=True,
        )


def _stop(settings: Settings, reason: str | None) -> None:
    with explained(None):
        on = trials.tried(settings)
        if on is None:
            click.echo("no candidate is tried: nothing to stop")
            return
        live = live_policy(settings)
        version = live.policy_version if live else None
        _send(settings, *trials.ending(on, version, person(), reason or "stopped by hand"))
    click.echo(f"{on.policy_version} is tried no more; what it came to: `sluicegate policy shadow --report`")


def _send(settings: Settings, event: PolicyShadowed, audit: AuditRecorded) -> None:
    publisher, producer = Publisher("cli", load_topics()), AcknowledgedProducer(settings)
    try:
        producer.send_all([publisher.outgoing(event, trials.KEY), publisher.outgoing(audit, audit.actor)])
    finally:
        producer.close()


def _told(trial: PolicyShadowed) -> str:
    of = "every item" if trial.share == 1 else f"{trial.share:.3g} of the items"
    return (
        f"{trial.policy_version} is tried beside {trial.beside} on {of}, until {trial.until};"
        f" trial {trial.event_id}, by {trial.shadowed_by}: {trial.reason}"
    )
