"""`sluicegate query "SELECT …"`: one question in SQL, answered by analytics."""

from __future__ import annotations

import csv
import json
import os
import sys
from typing import Any

import click
import httpx
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from services.cli.options import ANALYST_KEY
from services.cli.printable import printable
from services.runtime.settings import Settings

SECONDS = 60  # an answer may take, its wait for others included


@click.command()
@click.argument("sql")
@ANALYST_KEY
@click.option("--format", "shape", type=click.Choice(["table", "json", "csv"]), default="table")
def query(sql: str, key: str | None, shape: str) -> None:
    """Ask one SELECT; docs/analyst.md lists what there is to ask.

    The key is given by --key or SLUICEGATE_ANALYST_KEY; without either, the demo key of a local stack is used.
    """
    show(ask(Settings(), sql, key), shape)


def ask(settings: Settings, sql: str, key: str | None) -> dict[str, Any]:
    """`meta`, `data` and `rows` of one SELECT, asked with `key`, or the demo key of a local stack.

    Raises UsageError where there is no key, ClickException where analytics has no answer.
    """
    secret = secret_of(settings, key)
    try:
        answer = httpx.post(
            f"{settings.analytics_url}/v1/query",
            json={"sql": sql},
            headers={"Authorization": f"Bearer {secret}"},
            timeout=SECONDS,
        )
    except httpx.HTTPError as error:
        raise click.ClickException(
            f"analytics at {settings.analytics_url} does not answer: {error}"
        ) from error
    if answer.status_code != 200:
        raise click.ClickException(_problem(answer))
    found: dict[str, Any] = answer.json()
    return found


def secret_of(settings: Settings, key: str | None) -> str:
    """The analyst's key to ask with: that given, or the demo key of a local stack. Raises UsageError."""
    secret = key or _demo_key(settings)
    if not secret:
        raise click.UsageError(
            "give --key or SLUICEGATE_ANALYST_KEY: `sluicegate keys create --analyst` makes one"
        )
    return secret


def rows_of(settings: Settings, sql: str, key: str | None) -> list[dict[str, Any]]:
    """The rows of one SELECT by the names of their columns. Raises as `ask` does."""
    found = ask(settings, sql, key)
    names = [column["name"] for column in found["meta"]]
    return [dict(zip(names, row, strict=True)) for row in found["data"]]


def quoted(text: str) -> str:
    """A string of SQL."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def show(found: dict[str, Any], shape: str) -> None:
    """Prints `meta` and `data` of an answer. Texts are strangers': a terminal gets no control characters of theirs."""
    names = [column["name"] for column in found["meta"]]
    if shape == "json":
        text = json.dumps([dict(zip(names, row, strict=True)) for row in found["data"]], ensure_ascii=False)
        click.echo(printable(text, lambda char: json.dumps(char)[1:-1]) if sys.stdout.isatty() else text)
    elif shape == "csv":
        writer = csv.writer(sys.stdout, lineterminator=os.linesep)
        cell = (
            printable if sys.stdout.isatty() else str
        )  # a file or another program gets the bytes as they are
        writer.writerow([cell(name) for name in names])
        writer.writerows([[cell(_text(value)) for value in row] for row in found["data"]])
    else:
        table = Table(*(escape(printable(name)) for name in names))
        for row in found["data"]:
            table.add_row(*(escape(printable(_text(value))) for value in row))
        Console().print(table)


def _text(value: Any) -> str:
    """A value as a cell shows it: lists and maps as JSON, nothing as nothing."""
    if value is None:
        return ""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, (list, dict)) else str(value)


def _problem(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["detail"])
    except (ValueError, KeyError):
        return f"analytics answered {answer.status_code}: {answer.text[:500]}"


def _demo_key(settings: Settings) -> str:
    from infra.local.access import demo_access

    return demo_access(settings).analyst_key
