"""One run of `sluicegate policy tune`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import msgspec
from rich.console import Console

from services.cli.policies import check_text, explained, live_policy, person
from services.cli.tuning.audits import Audits, audits_of, from_file, from_kafka
from services.cli.tuning.picture import show_certificate, show_plan
from services.events.instants import from_millis
from services.events.types import ModelReleased
from services.policy.certification.labels import Stratum
from services.policy.certify import Certificate, certify
from services.policy.model import Risks
from services.policy.planning import design, plan
from services.retrainer.core.training_set import Labelled
from services.retrainer.release import ReleaseError, announce, live_model, models_folder
from services.retrainer.settings import RetrainerSettings
from services.runtime.clock import now_ms
from services.runtime.kafka import plain_producer
from services.scoring import bundle as bundles
from services.scoring import operating_points
from services.scoring.bundle import Bundle
from services.scoring.operating_points import OperatingPoint


class PlanFile(msgspec.Struct, frozen=True, kw_only=True):
    """A plan that labels are drawn by: scores are those of one model, so it serves for that model alone."""

    content_hash: str
    category: str
    strata: tuple[Stratum, ...]


@dataclass(frozen=True)
class Tuning:
    """A model, what people said, and what is to be risked. `released`: the model is live, by this event."""

    risks: Risks
    model: Bundle
    labels: Sequence[Labelled]
    categories: tuple[str, ...]
    plan_file: Path | None
    policy: str | None
    released: ModelReleased | None
    settings: RetrainerSettings
    console: Console

    @classmethod
    def of(
        cls,
        risks: Risks,
        labels: Path | None,
        folder: Path | None,
        categories: tuple[str, ...],
        plan_file: Path | None,
    ) -> Tuning:
        """Read what is needed: from Kafka what is not given as a file. Raises ClickException, saying what to do."""
        settings = RetrainerSettings()
        with explained(None):
            released = None if folder else live_model(settings)
            if released is not None:
                folder = models_folder(settings) / released.model_version
            if folder is None:
                raise click.ClickException("no model is live: release one, or name a folder with --bundle")
            try:
                model = bundles.load(folder)
            except bundles.BundleError as error:
                raise click.ClickException(str(error)) from error
            found = from_file(labels) if labels else from_kafka(settings)
            live = live_policy(settings) if released else None
        if unknown := sorted(set(categories) - set(model.categories)):
            raise click.UsageError(f"{model.model_version} does not score {', '.join(unknown)}")
        document = live.document if live else None
        chosen = categories or model.categories
        return cls(risks, model, found, chosen, plan_file, document, released, settings, Console())

    def plan(self, budget: int, items: int | None = None) -> None:
        """Say for each category where to draw the next labels; write it down where a file is named.

        `items` are those that will come while they are drawn (None: as many as the labels stand for).
        """
        for category in self.categories:
            known = audits_of(self.labels, self.model, category)
            if not len(known.pool):
                raise click.ClickException(
                    f"a plan for {category} needs texts to score: label some at random first"
                )
            scale = 1.0 if items is None else items / float(known.pool_items.sum())
            made = plan(known.pool, budget, self.risks, known.pool_items * scale)
            show_plan(self.console, category, made)
            if self.plan_file:
                content_hash = self.model.manifest.content_hash
                told = PlanFile(content_hash=content_hash, category=category, strata=made.design)
                try:
                    self.plan_file.write_bytes(
                        msgspec.json.format(msgspec.json.encode(told), indent=2) + b"\n"
                    )
                except OSError as error:
                    raise click.ClickException(
                        f"the plan cannot be written to {self.plan_file}: {error.strerror}"
                    ) from error

    def certify(self, store: bool, planned: bool = False) -> bool:
        """Certify each category, show it, and store what was found. False where a category has no threshold.

        `planned`: by the audit plan of the live policy, with the labels that it has drawn by the live model's scores.
        """
        points = []
        live = check_text(self.policy) if planned and self.policy else None
        if planned and live is None:
            raise click.ClickException(
                "no policy is live: release one with an audit plan, and wait for labels"
            )
        if live is not None and not live.audit.plan:
            raise click.ClickException(
                f"the live policy, {live.version}, has no audit plan: put what --plan prints below `audit`, release it,"
                " and wait for labels; or leave --planned out"
            )
        labels = self.labels if live is None else self._drawn_by(live.version)
        for category in self.categories:
            try:
                strata = self._design(category) if live is None else design(live.audit, category)
                known = audits_of(labels, self.model, category, strata)
            except ValueError as error:
                raise click.ClickException(str(error)) from error
            found = certify(known.labels, self.risks)
            show_certificate(self.console, category, known, found, self.policy)
            if found.remove is not None or found.allow is not None:
                points.append(_point(category, known, found))
        if store and points:
            self._store(points)
        return len(points) == len(self.categories)

    def _drawn_by(self, policy_version: str) -> list[Labelled]:
        by = (policy_version, self.model.model_version)
        found = [label for label in self.labels if (label.policy_version, label.model_version) == by]
        self.console.print(
            f"{len(found)} of {len(self.labels)} labels were drawn by {policy_version} and {by[1]}: these count",
            highlight=False,
            soft_wrap=True,
        )
        return found

    def _design(self, category: str) -> tuple[Stratum, ...]:
        if self.plan_file is None:
            return ()
        try:
            told = msgspec.json.decode(self.plan_file.read_bytes(), type=PlanFile)
        except (OSError, msgspec.DecodeError) as error:
            raise click.ClickException(f"{self.plan_file}: {error}. Write it with --plan") from error
        if (told.content_hash, told.category) != (self.model.manifest.content_hash, category):
            raise click.ClickException(
                f"{self.plan_file} is for {told.category} by another model, or for another category: its scores "
                "are not these. Without it, labels count by the lowest probability among them"
            )
        return told.strata

    def _store(self, points: list[OperatingPoint]) -> None:
        """Write the points beside the bundle; where it is live, say so, so that every router reads them."""
        told = self.model.manifest
        path = operating_points.write(Path(self.model.folder), told.model_version, told.content_hash, points)
        self.console.print(f"{len(points)} operating points in {path}", highlight=False, soft_wrap=True)
        if self.released is None:
            return
        with explained(None):
            live = live_model(self.settings)
            if live is None or live.model_version != told.model_version:
                self.console.print("another model is live by now: nothing changes until this one is again")
                return
            reason = "certified: " + ", ".join(point.category for point in points)
            try:
                announce(
                    plain_producer(self.settings),
                    self.model,
                    released_by=person(),
                    reason=reason,
                    replaces=live.replaces,
                    lineage=live.lineage,
                )
            except ReleaseError as error:
                raise click.ClickException(f"stored, but routers were not told: {error}") from error
        self.console.print("every router has been told: policies that state risks use them from now on")


def _point(category: str, known: Audits, found: Certificate) -> OperatingPoint:
    return OperatingPoint(
        category=category,
        wrong_removals=found.risks.wrong_removals,
        missed=found.risks.missed,
        confidence=found.risks.confidence,
        remove=found.remove,
        allow=found.allow,
        automated=round(found.automated(known.pool, known.pool_items), 6),
        labels=found.labels,
        violating=found.violating,
        certified_at=from_millis(now_ms()),
        certified_by=person(),
    )
