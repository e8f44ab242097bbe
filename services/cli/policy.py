"""`sluicegate policy backtest | check | diff | explain | release | rollback | shadow | show | tune`."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import click

from services.cli.policies import (
    check_lists,
    check_policy,
    explained,
    live_categories,
    live_points,
    live_policy,
    person,
    policy_text,
    release_text,
)
from services.runtime.settings import Settings

LATER = {  # imported when used: while `release` starts, items are still decided by the policy before
    "backtest": "policy_backtest",
    "diff": "policy_history",
    "explain": "policy_history",
    "rollback": "policy_history",
    "shadow": "policy_shadow",
    "tune": "policy_tune",
}


class Commands(click.Group):
    """Those here, and LATER."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), *LATER])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in LATER:
            return super().get_command(ctx, cmd_name)
        command = getattr(import_module(f"services.cli.{LATER[cmd_name]}"), cmd_name)
        assert isinstance(command, click.Command)
        return command


@click.group(cls=Commands)
def policy() -> None:
    """When machines decide, when people are asked."""


FILE = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))


@policy.command()
@FILE
@click.option(
    "--offline", is_flag=True, help="Do not ask Kafka what the live model scores and is certified for."
)
def check(file: Path, offline: bool) -> None:
    """Say what is wrong with a policy, with line and column, and with the lists that it names."""
    with explained(file):
        settings = Settings()
        found = (
            check_policy(file)
            if offline
            else check_policy(file, live_categories(settings), live_points(settings))
        )
        lists = check_lists(settings, found)
    switch = "on" if found.automation else "OFF: everything goes to people"
    click.echo(f"{found.version}: {', '.join(found.categories)}; automation {switch}")
    for name, texts in lists.items():
        click.echo(f"list {name}: {texts} texts")


@policy.command()
@FILE
@click.option("--reason", default="released by hand", show_default=True, help="Why, for the audit trail.")
def release(file: Path, reason: str) -> None:
    """Make a policy live."""
    with explained(file):
        released, new = release_text(Settings(), policy_text(file), person(), reason)
    if not new:
        click.echo(
            f"{released.policy_version} is live already, since {released.occurred_at}: nothing was released"
        )
        return
    click.echo(f"{released.policy_version} is live, instead of {released.replaces or 'none'}")


@policy.command()
def show() -> None:
    """Print the policy that is live."""
    with explained(None):
        live = live_policy(Settings())
    if live is None:
        raise click.ClickException("no policy is live: run `sluicegate policy release FILE`")
    click.echo(
        f"# {live.policy_version}, released {live.occurred_at} by {live.released_by}: {live.reason}", err=True
    )
    click.echo(live.document, nl=False)
