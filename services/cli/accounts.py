"""`sluicegate accounts create | describe | list | disable`."""

from __future__ import annotations

import getpass
import secrets
import sys

import click
from rich.console import Console
from rich.table import Table

from services.events.instants import from_millis
from services.events.topics import load_topics
from services.review.accounts import ROLES, AccountError, open_accounts
from services.runtime.acknowledged import AcknowledgedProducer, NotAcknowledged
from services.runtime.audit import recorded
from services.runtime.publishing import Publisher
from services.runtime.settings import Settings
from services.runtime.sqlite import make_private


@click.group()
def accounts() -> None:
    """People who may log in to the console."""


@accounts.command()
@click.argument("name")
@click.option("--role", type=click.Choice(ROLES), default="moderator", show_default=True)
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
def create(name: str, role: str, password_stdin: bool) -> None:
    """Make an account; a password is generated and printed unless one is given."""
    settings = Settings()
    given = sys.stdin.readline().rstrip("\r\n") if password_stdin else None
    password = secrets.token_urlsafe(12) if given is None else given
    make_private(settings.database_url)
    try:
        open_accounts(settings).create(name, role, password)
    except AccountError as error:
        raise click.ClickException(str(error)) from error
    _audited(settings, "account.created", name, {"role": role})
    click.echo(f"{name} may log in as {role}")
    if given is None:
        click.echo(f"password  {password}")


@accounts.command()
@click.argument("name")
@click.option("--skill", "skills", multiple=True, help="As queues of the policy ask for it. May be repeated.")
@click.option("--language", "languages", multiple=True, help="That they read, as in de. May be repeated.")
def describe(name: str, skills: tuple[str, ...], languages: tuple[str, ...]) -> None:
    """Say what somebody can do, in place of what was said before: queues may ask for it."""
    settings = Settings()
    try:
        open_accounts(settings).describe(name, skills, languages)
    except AccountError as error:
        raise click.ClickException(str(error)) from error
    said = {"skills": ", ".join(sorted(skills)), "languages": ", ".join(sorted(languages)).lower()}
    _audited(settings, "account.described", name, said)
    click.echo(f"{name}: skills {said['skills'] or 'none'}; languages {said['languages'] or 'none'}")


@accounts.command("list")
def list_accounts() -> None:
    """Show every account."""
    table = Table("name", "role", "made", "state", "skills", "languages")
    for account in open_accounts(Settings()).all():
        state = "disabled" if account.disabled else "active"
        own = (", ".join(sorted(of)) for of in (account.abilities.skills, account.abilities.languages))
        table.add_row(account.name, account.role, from_millis(account.created_at), state, *own)
    Console().print(table)


@accounts.command()
@click.argument("name")
def disable(name: str) -> None:
    """Nobody logs in with it any more; its sessions end at once."""
    settings = Settings()
    try:
        open_accounts(settings).disable(name)
    except AccountError as error:
        raise click.ClickException(str(error)) from error
    _audited(settings, "account.disabled", name, {})
    click.echo(f"{name} is disabled")


def _audited(settings: Settings, action: str, name: str, detail: dict[str, str]) -> None:
    """Record it; where Kafka is away the account is changed all the same, and that is said."""
    actor = getpass.getuser()
    event = recorded(actor, "cli", action, name, detail)
    producer = AcknowledgedProducer(settings, 3000)
    try:
        producer.send_all([Publisher("cli", load_topics()).outgoing(event, actor)])
    except NotAcknowledged as error:
        click.echo(f"not in audit.recorded, Kafka does not answer: {error}", err=True)
    finally:
        producer.close()
