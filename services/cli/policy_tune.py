"""`sluicegate policy tune`: thresholds from audited labels, with a guarantee."""

from __future__ import annotations

from pathlib import Path

import click

FILE = click.Path(dir_okay=False, path_type=Path)
MOST_LABELS = 100_000  # that a plan is made for: as many are made up for each of its trials
MOST_ITEMS = 10**12
LINE = '{"text", "labels": {category: bool}, "probability"}'


@click.command()
@click.option("--max-wrong-removals", default=0.02, show_default=True, help="Of removed items, those fine.")
@click.option("--max-missed", default=0.05, show_default=True, help="Of violating items, those allowed.")
@click.option("--confidence", default=0.95, show_default=True, help="That both hold.")
@click.option("--category", "categories", multiple=True, help="Default: every category of the model.")
@click.option("--plan", "planning", is_flag=True, help="Say where to draw the next labels; certify nothing.")
@click.option(
    "--budget",
    type=click.IntRange(1, MOST_LABELS),
    default=2000,
    show_default=True,
    help="Labels to draw, with --plan.",
)
@click.option(
    "--items",
    type=click.IntRange(1, MOST_ITEMS),
    help="To draw from, with --plan. Default: as labels stand for.",
)
@click.option("--planned", is_flag=True, help="Only labels drawn by the live policy's audit plan, and by it.")
@click.option("--labels", type=FILE, help=f"JSON lines {LINE} in place of label.recorded.")
@click.option("--bundle", type=click.Path(file_okay=False, path_type=Path), help="Default: the live one.")
@click.option("--plan-file", type=FILE, help="Written by --plan, and how labels were drawn. One category.")
@click.option(
    "--store/--no-store", default=True, show_default=True, help="Keep the result beside the bundle."
)
@click.pass_context
def tune(
    context: click.Context,
    max_wrong_removals: float,
    max_missed: float,
    confidence: float,
    categories: tuple[str, ...],
    planning: bool,
    budget: int,
    items: int | None,
    planned: bool,
    labels: Path | None,
    bundle: Path | None,
    plan_file: Path | None,
    store: bool,
) -> None:
    """Find thresholds that keep both risks, or say how many labels are wanting. Exits with 1 where none holds.

    Labels are those of label.recorded that the model was neither trained nor gated on. Audits and other labels count
    alike, by the probability with which each was selected. What --plan prints goes into the policy, below `audit`;
    once its labels are there, --planned certifies by it.
    """
    from services.cli.tuning import tuned  # brings SciPy and ONNX, which no other command of `policy` needs
    from services.policy.model import Risks

    if not all(0 < value < 1 for value in (max_wrong_removals, max_missed, confidence)):
        raise click.UsageError("risks and confidence must lie between 0 and 1")
    if plan_file and len(categories) != 1:
        raise click.UsageError("a plan is for one category: name it with --category")
    if planning and plan_file and not plan_file.resolve().parent.is_dir():
        raise click.UsageError(
            f"--plan-file: there is no folder {plan_file.parent}: make it, or name another"
        )
    if planned and (labels or bundle or plan_file or planning):
        raise click.UsageError("--planned takes labels, model and plan from the stream: leave the others out")
    risks = Risks(wrong_removals=max_wrong_removals, missed=max_missed, confidence=confidence)
    tuning = tuned.Tuning.of(risks, labels, bundle, categories, plan_file)
    if planning:
        tuning.plan(budget, items)
    elif not tuning.certify(store, planned):
        context.exit(1)
