"""`sluicegate policy diff | rollback | explain`: what changed, taking it back, and why an item came out as it did."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import click

from services.cli.options import ANALYST_KEY
from services.cli.policies import check_text, explained, live_policy, person, policy_text, release_text
from services.cli.printable import printable
from services.cli.query import quoted, rows_of
from services.events.types import PolicyReleased
from services.policy.diff import differences
from services.runtime.settings import Settings

VERSION = re.compile(r"[a-z0-9-]{1,60}-[0-9a-f]{8}")
DECIDED = """SELECT revision, decision_seq, final, action, categories, basis, rule, scores.category AS scored,
scores.probability AS probabilities, circumstances.automation AS automation, circumstances.alarms AS alarms,
circumstances.capped AS capped, circumstances.draw AS draw, circumstances.counters AS counters,
arrayMap(l -> concat(l.name, ' (', l.version, ')'), circumstances.listed) AS listed, model_version, policy_version,
run_id, toString(_timestamp) AS at FROM content_decided WHERE source = {source} AND item_id = {item}
ORDER BY revision, decision_seq, final, interim, _offset LIMIT 1 BY revision, decision_seq, final, interim"""
ASKED = """SELECT revision, decision_seq, purpose, queue, selection.reason AS reason,
selection.probability AS probability, model_version, policy_version, run_id, toString(_timestamp) AS at
FROM review_requested WHERE source = {source} AND item_id = {item}
ORDER BY revision, decision_seq, _offset LIMIT 1 BY task_id"""


@click.command()
@click.argument("first")
@click.argument("second", required=False)
@ANALYST_KEY
def diff(first: str, second: str | None, key: str | None) -> None:
    """Say what changes from one policy to another, a line each.

    Each is a file or the version of one that was released. With one only, it is compared with the live policy.
    """
    settings = Settings()
    with explained(None):
        live = live_policy(settings) if second is None or not Path(second).is_file() else None
    if second is None and live is None:
        raise click.ClickException("no policy is live to compare with: name two")
    before = live.document if second is None and live is not None else _document(settings, first, key)
    after = _document(settings, second or first, key)
    found = differences(before, after)
    click.echo("\n".join(map(printable, found)) if found else "no difference: both mean the same")


@click.command()
@click.option("--to", metavar="VERSION", help="Default: the policy that was live before this one.")
@click.option("--reason", help="Why, for the audit trail.")
@ANALYST_KEY
def rollback(to: str | None, reason: str | None, key: str | None) -> None:
    """Make a policy live again that was live before: an event like any other.

    Documents of earlier policies come from analytics. A second rollback takes back the first; --to goes further.
    """
    settings = Settings()
    with explained(None):
        live = live_policy(settings)
    if live is None:
        raise click.ClickException("no policy is live: run `sluicegate policy release FILE`")
    version = to or live.replaces
    if version is None:
        raise click.ClickException(f"{live.policy_version} is the first policy: there is none to go back to")
    if version == live.policy_version:
        click.echo(f"{version} is live already: nothing was released")
        return
    text = earlier(settings, version, key)
    with explained(Path(version)):
        released, _ = release_text(
            settings, text, person(), reason or f"rollback from {live.policy_version}", proven=False
        )
    click.echo(f"{released.policy_version} is live again, instead of {released.replaces}")


@click.command()
@click.argument("item", metavar="SOURCE/ITEM_ID")
@click.option("--json", "as_json", is_flag=True, help="All that was recorded, for programs.")
@ANALYST_KEY
def explain(item: str, as_json: bool, key: str | None) -> None:
    """Say which rule, threshold and draw decided an item, from what was recorded with each outcome."""
    source, slash, item_id = item.partition("/")
    if not slash or not item_id:
        raise click.UsageError("name an item as SOURCE/ITEM_ID, as in demo/post-1")
    settings = Settings()
    names = {"source": quoted(source), "item": quoted(item_id)}
    found = {
        "decided": rows_of(settings, DECIDED.format(**names), key),
        "asked": rows_of(settings, ASKED.format(**names), key),
    }
    if not any(found.values()):
        raise click.ClickException(
            f"no outcome of {printable(item)} has arrived in analytics: check the name, or ask again in a few seconds"
        )
    lines = [*map(_told, found["decided"]), *map(_told_asked, found["asked"])]
    click.echo(json.dumps(found) if as_json else printable("\n".join(lines)))


def earlier(settings: Settings, version: str, key: str | None) -> str:
    """The document of a policy that was released once. Raises ClickException where analytics does not have it."""
    if not VERSION.fullmatch(version):
        raise click.ClickException(
            f"{printable(version)}: neither a file nor a version, as in starter-9be0d1f7"
        )
    rows = rows_of(
        settings, f"SELECT document FROM policy_released WHERE policy_version = '{version}' LIMIT 1", key
    )
    if not rows:
        raise click.ClickException(
            f"analytics has no document of {version}: release its file (`sluicegate policy release FILE`)"
        )
    return str(rows[0]["document"])


def _document(settings: Settings, named: str, key: str | None) -> str:
    """The valid document in a file or of a version."""
    path = Path(named)
    with explained(path):
        if path.is_file():
            text = policy_text(path)
            check_text(text)
            return text
        live: PolicyReleased | None = live_policy(settings)
        return live.document if live and live.policy_version == named else earlier(settings, named, key)


def _told(row: dict[str, Any]) -> str:
    """A decision in words: what, by what, with what."""
    kind = "" if row["final"] else " for now"
    lines = [
        f"{row['at']} revision {row['revision']}, decision {row['decision_seq']}: {row['action']}{kind}"
        f" ({row['basis']}){' for ' + ', '.join(row['categories']) if row['categories'] else ''}",
        f"  by {row['rule'] or 'what people decided'}",
        f"  policy {row['policy_version'] or 'none'}, model {row['model_version'] or 'none'}",
    ]
    if row["scored"]:
        pairs = zip(row["scored"], row["probabilities"], strict=True)
        lines.append("  scores " + ", ".join(f"{name} {p:.4g}" for name, p in pairs))
    had_a_say = [] if row["automation"] else ["the switch was off"]
    had_a_say += [f"alarm on {name}" for name in row["alarms"]] + (["a cap"] if row["capped"] else [])
    lines.append(f"  draw {'none' if row['draw'] is None else format(row['draw'], '.4g')}")
    if row["listed"]:
        lines.append("  on list " + ", ".join(row["listed"]))
    if row["counters"]:
        lines.append(f"  counters {row['counters']}")
    if had_a_say:
        lines.append("  " + ", ".join(had_a_say))
    return "\n".join(lines)


def _told_asked(row: dict[str, Any]) -> str:
    return (
        f"{row['at']} revision {row['revision']}, decision {row['decision_seq']}: people are asked"
        f" ({row['purpose']}), queue {row['queue']}\n  because {row['reason']},"
        f" drawn with probability {row['probability']:g}\n"
        f"  policy {row['policy_version'] or 'none'}, model {row['model_version'] or 'none'}"
    )
