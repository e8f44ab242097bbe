"""`sluicegate remoderate`: past items through today's model and policy, on a lane of their own."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable

import click
import httpx
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from services.cli.again.chosen import INSTANT, Analytics, Chosen, chosen_by
from services.cli.again.judging import BROADCASTS, Judge, Verdict
from services.cli.again.measure import Measure
from services.cli.options import ANALYST_KEY, Number
from services.cli.policies import explained, person
from services.cli.printable import printable
from services.cli.query import SECONDS, secret_of
from services.events.fresh import fresh_id
from services.events.ids import item_key
from services.events.instants import from_millis
from services.events.topics import load_topics
from services.events.types import AuditRecorded
from services.runtime.acknowledged import AcknowledgedProducer
from services.runtime.clock import now_ms
from services.runtime.publishing import Publisher
from services.runtime.reading import whole_topics
from services.runtime.settings import Settings

RUN = re.compile(r"[A-Za-z0-9._-]{1,100}")
EXAMPLES = 10
MOST_AT_ONCE = 100  # records that are sent together, and no more than come in a second


@click.command()
@click.option("--query", "sql", help="One SELECT with the columns source and item_id: which items.")
@click.option("--source", help="Items of this source …")
@click.option("--since", help="… accepted from then on, as in 2026-01-31 or 2026-01-31T12:00:00Z …")
@click.option("--until", help="… and before then …")
@click.option("--category", help="… whose standing decision names this category …")
@click.option("--model", help="… was made with the scores of this model …")
@click.option("--action", type=click.Choice(["allow", "limit", "remove"]), help="… and is this.")
@click.option("--all", "everything", is_flag=True, help="Every item that stands decided.")
@click.option("--reason", help="Why, for the audit trail.")
@click.option("--run", "run_id", help="Go on with a run. Default: a new one.")
@click.option("--dry-run", is_flag=True, help="Count and say what would change; nothing is sent.")
@click.option(
    "--rate",
    type=Number(min=0, min_open=True),
    default=100.0,
    show_default=True,
    help="Changes and questions a second at the most.",
)
@click.option(
    "--max-reviews",
    type=click.IntRange(min=0),
    default=1000,
    show_default=True,
    help="Questions to people at the most; other items that the policy would ask about stay as they are.",
)
@click.option("--limit", type=click.IntRange(min=1), help="No more than so many items.")
@ANALYST_KEY
def remoderate(
    sql: str | None,
    source: str | None,
    since: str | None,
    until: str | None,
    category: str | None,
    model: str | None,
    action: str | None,
    everything: bool,
    reason: str | None,
    run_id: str | None,
    dry_run: bool,
    rate: float,
    max_reviews: int,
    limit: int | None,
    key: str | None,
) -> None:
    """Decide past items again, by the model and the policy that are live today.

    What people decided stands, and so does what was withdrawn or is with them. Items whose outcome changes get a new
    decision under the run's id; the stream's workers do nothing for all others.
    """
    filters = (source, since, until, category, model, action)
    if (sql is not None) + any(each is not None for each in filters) + everything != 1:
        raise click.UsageError("say which items: --query, or filters (--source, --since …), or --all")
    for name, value in (("--since", since), ("--until", until)):
        if value is not None and not re.fullmatch(INSTANT, value):
            raise click.UsageError(f"{name}: write it as 2026-01-31 or 2026-01-31T12:00:00Z")
    if not dry_run and not reason:
        raise click.UsageError("give --reason: it is written to the audit trail (or --dry-run)")
    if run_id is not None and not RUN.fullmatch(run_id):
        raise click.UsageError("--run: letters, digits and . _ - only, 100 at the most")
    settings, run_id = Settings(), run_id or f"again-{fresh_id()}"
    query = sql if sql is not None else chosen_by(*filters)
    with (
        explained(None),
        httpx.Client(base_url=settings.analytics_url, timeout=SECONDS) as client,
        _Sending(settings, run_id, Measure(rate, max_reviews), dry_run) as sending,
    ):
        chosen = Chosen(Analytics(client, secret_of(settings, key)), query, given=sql is not None)
        total = min(chosen.count(), limit or 2**62)
        sending.note({"query": query[:4000], "reason": reason, "items": total})
        with _progress() as shown:
            bar = shown.add_task("looked at", total=total)
            for looked_up, found in chosen.standing(limit):
                sending.unknown += looked_up - len(found)
                sending.take(found, lambda: shown.advance(bar, 0))
                shown.advance(bar, looked_up)
        done = {kind: sum(of.values()) for kind, of in sending.counts.items() if of}
        if sending.unknown:
            done["unknown"] = sending.unknown
        sending.note({"done": True, **done})
    click.echo("\n".join(_told(run_id, sending, total, dry_run)))


class _Sending:
    """The run itself: what is live, what it came to, and the router's lane."""

    def __init__(self, settings: Settings, run_id: str, measure: Measure, dry_run: bool) -> None:
        self._settings, self.run_id, self._measure, self._dry_run = settings, run_id, measure, dry_run
        self._at_once = max(1, min(MOST_AT_ONCE, int(measure.rate)))
        self.counts: dict[str, Counter[str]] = {
            kind: Counter() for kind in ("changed", "asked", "unchanged", "left")
        }
        self.examples: list[Verdict] = []
        self.unknown = 0  # items that were named and that analytics does not have

    def __enter__(self) -> _Sending:
        self._live = whole_topics(self._settings, "remoderate", BROADCASTS)
        self._judge = Judge(self._settings.var, self._settings.sampling_salt)
        self._producer = AcknowledgedProducer(self._settings)
        self._publisher = Publisher("cli", load_topics())
        try:
            self._judge.take(self._live.to_end())
            self._judge.ready()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._producer.close()
        self._live.close()

    def take(self, found: list[dict[str, object]], beat: Callable[[], None]) -> None:
        """Judge a page of items and tell the router what changes. Raises NotAcknowledged."""
        self._judge.take(self._live.poll())
        _, policy = self._judge.ready()
        caps = {str(action): cap for action, cap in policy.caps.items()}
        outs = []
        for verdict in self._judge.judge(found, self.run_id, now_ms()):
            if verdict.event is not None and not self._dry_run:
                beat()
                if verdict.action is None and not self._measure.question():
                    verdict = Verdict(verdict.row, "left", "no_more_questions")
                elif verdict.action is not None and not self._measure.change(verdict.action, caps):
                    verdict = Verdict(verdict.row, "left", "capped")
            self.counts[verdict.kind][verdict.what] += 1
            if verdict.event is None:
                continue
            if len(self.examples) < EXAMPLES:
                self.examples.append(verdict)
            if not self._dry_run:
                event = verdict.event
                outs.append(self._publisher.outgoing(event, item_key(event.source, event.item_id)))
                if len(outs) >= self._at_once:
                    self._producer.send_all(outs)
                    outs = []
        self._producer.send_all(outs)

    def note(self, detail: dict[str, object]) -> None:
        """A line of the audit trail; none for a dry run."""
        if self._dry_run:
            return
        now = now_ms()
        line = AuditRecorded(
            event_id=fresh_id(now),
            occurred_at=from_millis(now),
            actor=person(),
            actor_kind="cli",
            action="content.remoderated",
            subject=self.run_id,
            detail=detail,
        )
        self._producer.send_all([self._publisher.outgoing(line, line.actor)])


def _told(run_id: str, sending: _Sending, total: int, dry_run: bool) -> list[str]:
    words = {
        "changed": "would change" if dry_run else "changed",
        "asked": "would be asked about" if dry_run else "asked about",
        "unchanged": "unchanged",
        "left": "left as they are",
    }
    lines = [
        f"{total} item{'' if total == 1 else 's'} chosen"
        + ("; nothing was sent" if dry_run else f", run {run_id}")
    ]
    for kind, counts in sending.counts.items():
        of = ", ".join(f"{what} {count}" for what, count in counts.most_common())
        lines.append(f"  {words[kind]}: {sum(counts.values())}" + (f" ({of})" if of else ""))
    if sending.unknown:
        lines.append(
            f"  not known to analytics: {sending.unknown} (check source and item_id, or ask again soon)"
        )
    for verdict in sending.examples:
        row = verdict.row
        text = " ".join(str(row["item"].get("text") or "").split())[:80]
        what = (
            verdict.what
            if verdict.kind == "changed"
            else f"{row['action']}, people are asked in {verdict.what}"
        )
        lines.append(printable(f"    {row['source']}/{row['item_id']}: {what}  {text}"))
    if not dry_run:
        lines += [
            f'what came of it: sluicegate query "SELECT action, basis, count() FROM content_decided'
            f" WHERE run_id = '{run_id}' GROUP BY ALL\"",
            f"the same again, or what is left of it: the same options with --run {run_id}",
        ]
    return lines


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )
