"""`python -m loadtests.count MANIFEST`: the independent count of what was lost and what was doubled.

It believes the manifest and a read-committed scan of Kafka, and asks no service. Exit 1 unless it is clean.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import click

from loadtests import manifest, outcomes
from loadtests.judge import Report, judge
from loadtests.scan import scan
from services.runtime.settings import Settings

SHOWN = 20  # of each kind of finding


def count(path: Path, bootstrap: str) -> Report:
    """Manifest against outcome topics, now. Raises ScanTimeout, and KafkaException where no broker answers."""
    return judge(manifest.read(path), outcomes.fold(scan(bootstrap, outcomes.OUTCOME_TOPICS)))


def render(report: Report, shown: int = SHOWN) -> str:
    """The report in lines."""
    told = [f"published {report.published}"]
    told += [f"  {what} {number}" for what, number in sorted(report.outcomes.items())]
    told += [f"verdicts {report.verdicts.total()}"]
    told += [f"  {what} {number}" for what, number in sorted(report.verdicts.items())]
    told += [f"labels {report.labels}"]
    listed: Counter[tuple[str, str]] = Counter()
    for finding in report.findings:
        listed[finding.kind, finding.what] += 1
        if listed[finding.kind, finding.what] <= shown:
            told.append(f"{finding.kind}: {finding.what}: {finding.where}")
    told += [
        f"{kind}: {what}: {number - shown} more" for (kind, what), number in listed.items() if number > shown
    ]
    told += [f"{kind} {report.count(kind)}" for kind in ("lost", "duplicated", "wrong")]
    return "\n".join(told)


@click.command()
@click.argument("manifest_file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--kafka", default=None, help="Bootstrap servers; default: SLUICEGATE_KAFKA")
def main(manifest_file: Path, kafka: str | None) -> None:
    """Count what was lost and doubled of what MANIFEST_FILE says was published."""
    report = count(manifest_file, kafka or Settings().kafka)
    click.echo(render(report))
    sys.exit(1 if report.findings else 0)


if __name__ == "__main__":
    main()
