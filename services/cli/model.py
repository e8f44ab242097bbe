"""`sluicegate model …`: build, release, roll back, retrain and show models."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Literal

import click
import httpx
import msgspec
from confluent_kafka import KafkaException
from rich.console import Console
from rich.table import Table

from services.retrainer.release import ReleaseError, live_model, release_bundle, roll_back
from services.retrainer.settings import RetrainerSettings
from services.runtime.errors import RuntimeFault
from services.scoring.bundle import BundleError

ERRORS = (BundleError, ReleaseError, RuntimeFault, KafkaException)
TIER = click.option("--tier", type=click.Choice(["fast", "slow"]), default="fast", show_default=True)


@click.group()
def model() -> None:
    """Models: build, release, roll back, retrain, show."""


@model.command("build-starter")
@click.option("--data", type=click.Path(path_type=Path, exists=True, file_okay=False), required=True)
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default=Path("infra/starter"))
def build_starter(data: Path, out: Path) -> None:
    """Train the starter model from public data sets in DATA, and write bundle and model card."""
    from services.retrainer import starter  # brings scikit-learn, which no other command needs

    try:
        told = starter.build_starter(data, out)
    except FileNotFoundError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{told.model_version} in {out}")


@model.command()
@click.argument("bundle")
@click.option("--reason", default="released from the command line", show_default=True)
@TIER
def release(bundle: str, reason: str, tier: Literal["fast", "slow"]) -> None:
    """Verify the bundle in folder BUNDLE, or at an fsspec URL, and make it live."""
    try:
        event = release_bundle(RetrainerSettings(), bundle, released_by="cli", reason=reason, tier=tier)
    except ERRORS as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{event.model_version} is live, in place of {event.replaces or 'nothing'}")


@model.command()
@click.option("--to", help="Model version to go back to; default: the one that the live model replaced")
@click.option("--reason", default="rolled back from the command line", show_default=True)
@TIER
def rollback(to: str | None, reason: str, tier: Literal["fast", "slow"]) -> None:
    """Make an earlier model live again."""
    try:
        event = roll_back(RetrainerSettings(), released_by="cli", reason=reason, to=to, tier=tier)
    except ERRORS as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{event.model_version} is live, in place of {event.replaces}")


@model.command()
@click.option("--wait/--no-wait", default=True, show_default=True, help="Wait for the outcome")
@click.option("--timeout", default=600.0, show_default=True, help="How long to wait, s")
def retrain(wait: bool, timeout: float) -> None:
    """Train on the labels now. Exits with 1 where no model is released."""
    url = RetrainerSettings().retrainer_url
    with httpx.Client(base_url=url, timeout=30) as client:
        training = _ask(client, "POST", "/v1/retrain")
        deadline = time.monotonic() + timeout
        while wait and training["state"] == "running":
            if time.monotonic() > deadline:
                raise click.ClickException(f"still running after {timeout:.0f} s: see {url}/v1/trainings")
            time.sleep(0.2)
            training = _ask(client, "GET", f"/v1/trainings/{training['training_id']}")
    click.echo(
        f"{training['state']}: {training['candidate'] or training['training_id']}. {training['reason']}"
    )
    if wait and training["state"] != "released":
        raise SystemExit(1)


@model.command()
@click.option("--json", "as_json", is_flag=True, help="The event as it is")
@TIER
def show(as_json: bool, tier: str) -> None:
    """Show the live model."""
    try:
        event = live_model(RetrainerSettings(), tier)
    except ERRORS as error:
        raise click.ClickException(str(error)) from error
    if event is None:
        raise click.ClickException(
            "no model is live: release one with `sluicegate model release infra/starter`"
        )
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(event), indent=2))
        return
    table = Table(show_header=False)
    for name in ("model_version", "occurred_at", "released_by", "reason", "replaces", "bundle"):
        table.add_row(name, str(getattr(event, name) or "–"))
    table.add_row("categories", ", ".join(event.categories))
    Console().print(table)


def _ask(client: httpx.Client, method: str, path: str) -> dict[str, Any]:
    try:
        response = client.request(method, path)
    except httpx.HTTPError as error:
        raise click.ClickException(f"no retrainer at {client.base_url} ({error}): is it up?") from error
    answer: dict[str, Any] = response.json()
    if response.is_error:
        raise click.ClickException(f"{answer.get('title')}: {answer.get('detail')}")
    return answer
