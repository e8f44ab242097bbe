"""`sluicegate policy tune`: from labels to stored operating points, or a refusal that says what is wanting."""

import json
import random
import shutil
from pathlib import Path
from typing import Any

import click
import msgspec
import pytest
import yaml
from click.testing import CliRunner, Result
from rich.console import Console

import infra
from services.cli.__main__ import main
from services.cli.policy_tune import MOST_ITEMS
from services.cli.tuning.tuned import Tuning
from services.policy.model import Risks
from services.policy.planning import design
from services.retrainer.core.training_set import Labelled
from services.retrainer.settings import RetrainerSettings
from services.scoring import bundle
from services.scoring.manifest import Manifest
from services.scoring.split import Split, certifies, split_of
from services.scoring.unseen import unseen
from tests.unit.policy.making import DOCUMENT, policy

STARTER = Path(infra.__file__).parent / "starter"
MEAN, KIND = "you stupid idiot nobody likes you", "have a nice day and see you at lunch"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    shutil.copytree(STARTER, tmp_path / "starter")
    (tmp_path / "starter" / "operating_points.json").unlink(missing_ok=True)
    return tmp_path / "starter"


def labels(folder: Path, n: int) -> Path:
    draw = random.Random(1)
    lines = []
    for number in range(n):
        mean = draw.random() < 0.5
        text = f"{MEAN if mean else KIND} {number} {draw.random()}"
        lines.append(json.dumps({"text": text, "labels": {"toxicity": mean}, "probability": 0.1}))
    path = folder / "labels.jsonl"
    path.write_text("\n".join(lines), "utf-8")
    return path


def tune(model: Path, *arguments: str | Path) -> Result:
    command = ["policy", "tune", "--bundle", str(model), "--category", "toxicity", *map(str, arguments)]
    return CliRunner().invoke(main, command)


def test_enough_labels_give_points_beside_the_bundle(model: Path, tmp_path: Path) -> None:
    answer = tune(model, "--labels", labels(tmp_path, 1200))
    assert answer.exit_code == 0, answer.output
    (point,) = bundle.load(model).operating_points
    assert (point.category, point.wrong_removals, point.missed, point.confidence) == (
        "toxicity",
        0.02,
        0.05,
        0.95,
    )
    assert point.remove is not None and point.allow is not None and point.allow < point.remove
    assert point.labels == 1200 and point.automated > 0.9
    assert "asked for" in answer.output


def test_too_few_are_refused_with_the_number_wanted_and_nothing_is_stored(
    model: Path, tmp_path: Path
) -> None:
    answer = tune(model, "--labels", labels(tmp_path, 40))
    assert answer.exit_code == 1
    assert "more are needed" in answer.output and "audited violating items" in answer.output
    assert bundle.load(model).operating_points == ()


def test_a_plan_is_written_and_labels_drawn_by_it_are_certified_by_it(model: Path, tmp_path: Path) -> None:
    known, plan = labels(tmp_path, 1200), tmp_path / "plan.json"
    answer = tune(model, "--labels", known, "--plan", "--budget", "300", "--plan-file", plan)
    assert answer.exit_code == 0 and "where to draw" in answer.output, answer.output
    shown = yaml.safe_load("audit:\n" + answer.output[answer.output.index("  plan:") :])
    written = policy(audit={**DOCUMENT["audit"], "share": 0, **shown["audit"]}).audit
    told = json.loads(plan.read_bytes())
    assert [s.lower for s in written.plan] == pytest.approx([lower for lower, _ in told["strata"]], abs=1e-8)
    assert design(written, "toxicity")[0].probability == pytest.approx(told["strata"][0][1], rel=1e-3)
    assert told["category"] == "toxicity" and told["strata"][0][0] == 0
    told["strata"] = [[0.0, 0.05]]  # the labels below were drawn with twice that
    plan.write_text(json.dumps(told))
    assert tune(model, "--labels", known, "--plan-file", plan).exit_code == 0
    plan.write_text(json.dumps(told | {"content_hash": "0" * 64}))
    assert "another model" in tune(model, "--labels", known, "--plan-file", plan).output


@pytest.mark.parametrize(
    ("given", "what"),
    [
        (["--budget", "0"], "--budget"),
        (["--budget", "-5"], "--budget"),
        (["--items", str(10**23)], "--items"),
        (["--plan-file", "/nowhere/x.json"], "there is no folder /nowhere"),
    ],
)
def test_a_plan_that_cannot_be_is_refused_before_labels_are_read(
    model: Path, given: list[str], what: str
) -> None:
    answer = tune(model, "--labels", "unread.jsonl", "--plan", *given)
    assert answer.exit_code == 2 and what in answer.output, answer.output


def test_a_plan_that_cannot_be_written_is_told(model: Path, tmp_path: Path) -> None:
    known, plan = labels(tmp_path, 200), tmp_path / ("x" * 300)
    answer = tune(model, "--labels", known, "--plan", "--budget", "50", "--plan-file", plan)
    assert answer.exit_code == 1 and "the plan cannot be written to" in answer.output, answer.output


def test_however_many_items_a_plan_draws_from_no_share_is_0(model: Path, tmp_path: Path) -> None:
    known = labels(tmp_path, 200)
    answer = tune(model, "--labels", known, "--plan", "--budget", "1", "--items", str(MOST_ITEMS))
    assert answer.exit_code == 0, answer.output
    shown = yaml.safe_load("audit:\n" + answer.output[answer.output.index("  plan:") :])
    written = policy(audit={**DOCUMENT["audit"], **shown["audit"]}).audit
    assert all(0 < stratum.share < 1e-9 for stratum in written.plan)


def test_a_live_policy_without_a_plan_is_told_as_such(model: Path) -> None:
    document = (STARTER / "policy.yaml").read_text("utf-8")
    made = Tuning(
        Risks(wrong_removals=0.02, missed=0.05, confidence=0.95),
        bundle.load(model),
        [],
        ("toxicity",),
        None,
        document,
        None,
        RetrainerSettings(),
        Console(),
    )
    with pytest.raises(
        click.ClickException, match=r"^the live policy, \S+, has no audit plan: put what --plan"
    ):
        made.certify(store=False, planned=True)


@pytest.mark.parametrize(
    ("line", "what"),
    [("{", "line 1"), ('{"text": "a", "labels": {"toxicity": true}, "probability": 0}', "must be in (0, 1]")],
)
def test_a_bad_line_is_named(model: Path, tmp_path: Path, line: str, what: str) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text(line)
    answer = tune(model, "--labels", path)
    assert answer.exit_code == 1 and what in answer.output


def test_labels_that_trained_or_gated_a_model_do_not_certify_it(model: Path) -> None:
    loaded = bundle.load(model)

    def retrained(**lineage: Any) -> Manifest:
        return msgspec.structs.replace(loaded.manifest, lineage={"label_offsets": {"0": 300}} | lineage)

    told = [Labelled(f"post {n}", {"toxicity": False}, 1.0, f"{n:05}", 0, n) for n in range(400)]
    told.append(
        Labelled("POST  7" if split_of("post 7") is not Split.AUDIT else "post 8", {}, 1.0, "99999", 0, 500)
    )
    usable, seen = unseen(told, retrained(labels={"certifying": 20}))
    assert {label.offset for label in usable if label.offset < 300} == {
        n for n in range(300) if split_of(f"post {n}") is Split.AUDIT and certifies(f"post {n}")
    }
    older, _ = unseen(told, retrained())
    assert min(label.offset for label in older) >= 300, "what calibrated it is not told apart"
    assert {label.offset for label in usable} >= set(range(300, 400))
    assert 500 not in {label.offset for label in usable}  # a copy of what was trained on
    assert seen == len(told) - len(usable)
