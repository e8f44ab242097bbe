"""`sluicegate policy shadow --report`: what a candidate would have changed, asked of analytics."""

from __future__ import annotations

import json
import re
from typing import Any

import click

from services.cli.printable import printable
from services.cli.query import quoted, rows_of
from services.runtime.settings import Settings

ID = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
TRIAL = """SELECT shadow_id, shadow_version, beside, toString(began_at) AS began_at, toString(until) AS until, share,
shadowed_by, reason, items, differed, failed, skipped, live_audited, shadow_audited
FROM shadow_trials {where} ORDER BY shadow_trials.began_at DESC LIMIT 1"""
PAIRS = """SELECT live, live_queue, shadow, shadow_queue, sum(items) AS count FROM shadow_pairs
WHERE shadow_id = {id} GROUP BY ALL ORDER BY count DESC, live, shadow, live_queue, shadow_queue"""
LIVE = """SELECT policy_version, sum(items) AS count FROM shadow_pairs WHERE shadow_id = {id}
GROUP BY policy_version ORDER BY count DESC"""
DIFFERS = """SELECT arrayJoin(differs) AS what, count() AS count FROM shadow_differences
WHERE shadow_id = {id} GROUP BY what ORDER BY count DESC, what"""
EXAMPLES = """SELECT d.source AS source, d.item_id AS item_id, d.revision AS revision, d.live AS live,
d.live_queue AS live_queue, d.live_because AS live_because, d.shadow AS shadow, d.shadow_queue AS shadow_queue,
d.shadow_because AS shadow_because, d.differs AS differs, i.text AS text
FROM (SELECT * FROM shadow_differences WHERE shadow_id = {id} ORDER BY cityHash64(item_id)
      LIMIT {each} BY live, live_queue, shadow, shadow_queue, differs LIMIT {most}) AS d
LEFT JOIN (SELECT source, item_id, revision, any(item.text) AS text FROM content_submitted
           WHERE (source, item_id) IN (SELECT source, item_id FROM shadow_differences WHERE shadow_id = {id}
                 ORDER BY cityHash64(item_id) LIMIT {each} BY live, live_queue, shadow, shadow_queue, differs
                 LIMIT {most})
           GROUP BY source, item_id, revision) AS i
ON i.source = d.source AND i.item_id = d.item_id AND i.revision = d.revision
ORDER BY d.live, d.shadow, d.source, d.item_id, d.revision"""
EACH = 3  # examples of a kind at the most
CHARACTERS = 80  # of a text


def report(settings: Settings, trial: str | None, examples: int, as_json: bool, key: str | None) -> None:
    """Print it. Raises ClickException where there is no such trial in analytics, or it has seen nothing yet."""
    if trial is not None and not ID.fullmatch(trial):
        raise click.UsageError(f"{printable(trial)} is no id of a trial: `policy shadow` prints it")
    where = "" if trial is None else f"WHERE shadow_id = {quoted(trial)}"
    found = rows_of(settings, TRIAL.format(where=where), key)
    if not found:
        raise click.ClickException(
            "no trial has arrived in analytics: `sluicegate policy shadow FILE --reason …` begins one; ask again a few"
            " seconds later"
        )
    (of,) = found
    named: dict[str, Any] = {"id": quoted(of["shadow_id"]), "each": EACH, "most": examples}
    told = {
        "trial": of,
        "live": rows_of(settings, LIVE.format(**named), key),
        "pairs": rows_of(settings, PAIRS.format(**named), key),
        "differs": rows_of(settings, DIFFERS.format(**named), key),
        "examples": rows_of(settings, EXAMPLES.format(**named), key) if examples else [],
    }
    click.echo(json.dumps(told, ensure_ascii=False) if as_json else printable("\n".join(lines_of(told))))


def lines_of(told: dict[str, Any]) -> list[str]:
    """The report for people."""
    of = told["trial"]
    share = "every item" if of["share"] == 1 else f"{of['share']:.3g} of the items"
    lines = [
        f"{of['shadow_version']} beside {of['beside']}, on {share}, from {of['began_at']} until {of['until']}",
        f"  by {of['shadowed_by']}: {of['reason']}",
    ]
    items, differed = int(of["items"]), int(of["differed"])
    if not items and not int(of["failed"]) and not int(of["skipped"]):
        return [*lines, "it was asked about no item yet"]
    low, high = interval(differed, items)
    lines.append(
        f"{items} items, {differed} come out otherwise"
        + (f": {differed / items:.2%}, {low:.2%} to {high:.2%} with 95% confidence" if items else "")
    )
    lines.append(
        f"{of['failed']} errors of the candidate, {of['skipped']} items passed over (the worker was busy)"
    )
    if len(told["live"]) > 1:
        lines.append(
            "the live policy changed meanwhile: "
            + ", ".join(f"{row['policy_version']} {row['count']} items" for row in told["live"])
        )
    if not items:
        return lines
    lines += ["", "live (down) and candidate (across):", *_matrix(told["pairs"])]
    lines += ["", "questions to people    live  candidate", *_load(told["pairs"])]
    lines.append(f"{'audits':<20}{of['live_audited']:>7}{of['shadow_audited']:>11}")
    if told["differs"]:
        lines += ["", "differ in " + ", ".join(f"{row['what']} {row['count']}" for row in told["differs"])]
    if told["examples"]:
        lines += ["", "examples:", *map(_example, told["examples"])]
    return lines


def _matrix(pairs: list[dict[str, Any]]) -> list[str]:
    names = ["allow", "limit", "remove", "review"]
    count: dict[tuple[str, str], int] = {}
    for row in pairs:
        cell = row["live"], row["shadow"]
        count[cell] = count.get(cell, 0) + int(row["count"])
    used = [name for name in names if any(name in cell for cell in count)]
    width = max(10, *(len(str(of)) + 2 for of in count.values()))
    head = " " * 10 + "".join(f"{name:>{width}}" for name in used)
    return [head] + [
        f"{live:<10}" + "".join(f"{count.get((live, shadow), 0):>{width}}" for shadow in used)
        for live in used
    ]


def _load(pairs: list[dict[str, Any]]) -> list[str]:
    live: dict[str, int] = {}
    shadow: dict[str, int] = {}
    for row in pairs:
        for queue, load in ((row["live_queue"], live), (row["shadow_queue"], shadow)):
            if queue is not None:
                load[queue] = load.get(queue, 0) + int(row["count"])
    return [
        f"{queue:<20}{live.get(queue, 0):>7}{shadow.get(queue, 0):>11}"
        for queue in sorted(live.keys() | shadow.keys())
    ]


def _example(row: dict[str, Any]) -> str:
    def outcome(side: str) -> str:
        queue = row[f"{side}_queue"]
        because = row[f"{side}_because"]
        return f"{row[side]}{f' in {queue}' if queue else ''}{f' ({because})' if because else ''}"

    text = " ".join((row["text"] or "").split())
    cut = text if len(text) <= CHARACTERS else text[: CHARACTERS - 1] + "…"
    return (
        f"  {row['source']}/{row['item_id']}@{row['revision']}: {outcome('live')} → {outcome('shadow')}"
        + ("" if row["live"] != row["shadow"] else f", differs in {', '.join(row['differs'])}")
        + (f"\n    {cut}" if cut else "")
    )


def interval(some: int, of: int) -> tuple[float, float]:
    """Where a share lies with 95% confidence (Wilson 1927); all of [0, 1] where nothing was counted."""
    if not of:
        return 0.0, 1.0
    z, p = 1.96, some / of
    middle, half = p + z * z / (2 * of), z * (p * (1 - p) / of + z * z / (4 * of * of)) ** 0.5
    scale = 1 + z * z / of
    return max(0.0, (middle - half) / scale), min(1.0, (middle + half) / scale)
