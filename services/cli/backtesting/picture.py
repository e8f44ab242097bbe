"""What a backtest came to, in the terminal and for programs. Texts are strangers': they are shown printable."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from services.cli.backtesting.run import Found
from services.cli.printable import printable
from services.events.instants import from_millis
from services.policy.comparison import FEWEST, Comparison, Example, Pair, Risk
from services.policy.recorded import Came


def show(console: Console, found: Found, title: str, missing: set[str]) -> None:
    """Tables of what changes, and what could not be seen."""
    of = found.comparison
    console.print(f"{title}: {_history(of)}", highlight=False, soft_wrap=True)
    share = of.differences / of.items if of.items else 0.0
    console.print(f"{of.differences:,} differences in {of.items:,} items ({share:.2%})", highlight=False)
    if of.items:
        _decisions(console, of)
        _categories(console, of)
        _queues(console, of)
        _errors(console, of)
        _examples(console, of)
    for line in notes(found, missing):
        console.print(line, highlight=False, soft_wrap=True)


def as_json(found: Found, policy: str, missing: set[str]) -> dict[str, Any]:
    """The same for programs."""
    of = found.comparison
    before, after = of.risks()
    return {
        "policy": policy,
        "items": of.items,
        "differences": of.differences,
        "from": None if of.first is None else from_millis(of.first),
        "to": None if of.first is None else from_millis(of.last),
        "decisions": [
            {"from": was, "to": would, "items": items} for (was, would), items in of.moved.most_common()
        ],
        "details": dict(of.details),
        "categories": {
            name: {"acted_on": acted._asdict(), "asked": asked._asdict()}
            for name, (acted, asked) in of.categories().items()
        },
        "queues": {
            name: {"items": load.items._asdict(), "votes": load.votes._asdict(), "hours": of.hours}
            for name, load in of.loads().items()
        },
        "errors": {
            name: {"before": _told(getattr(before, name)), "after": _told(getattr(after, name))}
            for name in ("wrong_removals", "missed")
        },
        "labels": of.labelled,
        "examples": [_example(each) for several in of.examples.values() for each in several],
        "notes": notes(found, missing),
    }


def notes(found: Found, missing: set[str]) -> list[str]:
    """What the reader should know of what was not seen."""
    told = []
    if found.strangers:
        told.append(f"{found.strangers:,} items left out: the policy that decided them is not to be had")
    if found.unmatched:
        told.append(f"{found.unmatched:,} outcomes left out: their items are not recorded any more")
    if found.unasked:
        told.append(
            f"{found.unasked:,} questions are not recorded any more: taken to have gone where they would go"
        )
    if found.uncounted:
        told.append(
            f"{found.uncounted:,} items have no record of counters that the policy names: rules saw null"
        )
    if missing:
        names = ", ".join(sorted(map(printable, missing)))
        told.append(
            f"what is certified for {names} is not to be had here: explicit thresholds went for their risks"
        )
    return told


def _history(of: Comparison) -> str:
    if of.first is None:
        return "nothing was decided in that time"
    return f"{of.items:,} items from {from_millis(of.first)} to {from_millis(of.last)}"


def _decisions(console: Console, of: Comparison) -> None:
    table = _table("decisions", "was", "would be", "items", "share")
    for (was, would), items in of.moved.most_common():
        mark = "" if was == would else "[bold]"
        table.add_row(
            was, "the same" if was == would else mark + would, f"{items:,}", f"{items / of.items:.2%}"
        )
    console.print(table)
    for what, items in of.details.most_common():
        console.print(f"of the same: {items:,} with other {what}", highlight=False)


def _categories(console: Console, of: Comparison) -> None:
    table = _table("categories", "category", "acted on", "would be", "asked about", "would be")
    for name, (acted, asked) in of.categories().items():
        table.add_row(escape(printable(name)), *_pair(acted), *_pair(asked))
    console.print(table)


def _queues(console: Console, of: Comparison) -> None:
    table = _table("queues, audits included", "queue", "items", "would be", "votes an hour", "would be")
    for name, load in of.loads().items():
        hourly = [f"{each / of.hours:,.1f}" if of.hours else "-" for each in load.votes]
        table.add_row(escape(printable(name)), *_pair(load.items), *hourly)
    console.print(table)


def _errors(console: Console, of: Comparison) -> None:
    table = _table(
        f"errors, estimated from {of.labelled:,} labels, 95% intervals", "share", "was", "would be"
    )
    before, after = of.risks()
    table.add_row(
        "wrong, of what machines remove", _share(before.wrong_removals), _share(after.wrong_removals)
    )
    table.add_row("missed, of what violates", _share(before.missed), _share(after.missed))
    console.print(table)


def _examples(console: Console, of: Comparison) -> None:
    for several in of.examples.values():
        for each in several:
            scores = ", ".join(f"{name} {value:.4g}" for name, value in each.scores.items())
            console.print(
                f"{each.item}  {_words(each.before, each.rule_before)} → {_words(each.after, each.rule_after)}",
                style="bold",
                markup=False,
                highlight=False,
                soft_wrap=True,
            )
            for line in (scores, each.text):
                console.print(f"  {printable(line)}", markup=False, highlight=False, soft_wrap=True)


def _words(came: Came, rule: str | None) -> str:
    """As in `remove automated for spam (spam 0.99 >= 0.95)`."""
    text = came.kind + (f" in {came.queue}" if came.queue else "")
    text += f" for {', '.join(came.categories)}" if came.categories else ""
    text += ", audited" if came.audited else ""
    return printable(text + (f" ({rule})" if rule else ""))


def _share(risk: Risk) -> str:
    if risk.estimate is None:
        return f"too few labels: {risk.labels} of {FEWEST}"
    return f"{risk.estimate.value:.2%} ({risk.estimate.low:.2%} to {risk.estimate.high:.2%}, {risk.labels:,} labels)"


def _told(risk: Risk) -> dict[str, Any]:
    estimate = risk.estimate
    if estimate is None:
        return {"labels": risk.labels, "value": None, "needed": FEWEST}
    return {"labels": risk.labels, "value": estimate.value, "low": estimate.low, "high": estimate.high}


def _example(each: Example) -> dict[str, Any]:
    return {
        "item": each.item,
        "text": each.text,
        "scores": each.scores,
        "before": each.before._asdict() | {"rule": each.rule_before},
        "after": each.after._asdict() | {"rule": each.rule_after},
    }


def _pair(pair: Pair) -> tuple[str, str]:
    return f"{pair.before:,}", f"{pair.after:,}"


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column)
    return table
