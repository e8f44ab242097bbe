"""A whole training, without Kafka: what comes out is better and verified, or refused."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from services.retrainer import candidate as candidates
from services.retrainer.candidate import Candidate, Refused, Trainer
from services.retrainer.core.comparison import Needed
from services.retrainer.core.fitting import Linear, fit
from services.retrainer.core.training_set import Answers, Labelled
from services.scoring import bundle
from services.scoring.bundle import Bundle
from services.scoring.normalise import normalise
from services.scoring.split import Split, split_of
from tests.unit.retrainer.posts import CAMPAIGN, labels_of_campaign, make
from tests.unit.scoring import tiny


@pytest.fixture
def trainer(tmp_path: Path) -> Trainer:
    return Trainer(tmp_path / "models", "retrained", Needed(8, 8), resamples=300)


@pytest.fixture
def starter(trainer: Trainer) -> Bundle:
    told = bundle.load("infra/starter")
    shutil.copytree("infra/starter", trainer.models / told.model_version)
    return bundle.load(trainer.models / told.model_version)


def flipped(labels: list[Labelled], where: Split) -> list[Labelled]:
    """The labels with wrong answers on one side of the split."""
    return [
        Labelled(x.text, {c: not v for c, v in x.answers.items()}, 1.0, x.occurred_at, x.partition, x.offset)
        if split_of(x.text) is where
        else x
        for x in labels
    ]


def test_a_campaign_goes_all_the_way(trainer: Trainer, starter: Bundle) -> None:
    labels = labels_of_campaign(campaign=100, talk=150, insults=60)
    made = trainer.train(starter, labels, {0: 310})
    assert made.bundle.folder == trainer.models / made.bundle.model_version
    assert made.bundle.model_version.startswith("retrained-")
    assert made.comparison.lower_bound > 0
    lineage = made.bundle.manifest.lineage
    assert lineage["base"] == lineage["live"] == starter.model_version
    assert lineage["label_offsets"] == {"0": 310}
    assert lineage["trained"] == ["toxicity", "spam"]
    assert sum(lineage["labels"].values()) == 310
    spam = starter.categories.index("spam")
    assert (made.bundle.classifier.classify(make(CAMPAIGN, 200, 77)).probability[:, spam] > 0.5).mean() > 0.95


def test_the_test_split_is_never_trained_on(
    trainer: Trainer, starter: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []

    def spying(base: Linear, answers: Answers) -> Linear:
        seen.extend(answers.texts)
        return fit(base, answers)

    monkeypatch.setattr(candidates, "fit", spying)
    labels = labels_of_campaign(campaign=100, talk=150, insults=60)
    trainer.train(starter, labels, {0: 310})
    frozen = {normalise(label.text) for label in labels if split_of(label.text) is Split.TEST}
    assert len(frozen) > 40
    assert len(seen) > 180
    assert not frozen & {normalise(text) for text in seen}


def test_what_is_frozen_has_no_effect_on_the_weights(trainer: Trainer, starter: Bundle) -> None:
    """Stronger than looking at indices: wrong answers on the frozen side leave every weight as it was."""
    labels = labels_of_campaign(campaign=100, talk=150, insults=60)
    made = trainer.train(starter, labels, {0: 310})
    fewer = [x for x in labels if split_of(x.text) is not Split.TEST or int(x.text.split()[-1]) % 5]
    assert len(fewer) < len(labels)
    again = trainer.train(starter, fewer, {0: 310})
    np.testing.assert_array_equal(made.bundle.parts.weights, again.bundle.parts.weights)


def test_a_worse_candidate_is_refused_with_its_figures_and_leaves_nothing(
    trainer: Trainer, starter: Bundle
) -> None:
    """People, or somebody who means harm, answered wrongly on everything that is trained on."""
    before = sorted(trainer.models.iterdir())
    labels = flipped(labels_of_campaign(campaign=0, talk=300, insults=200), Split.POOL)
    with pytest.raises(Refused, match="may be worse than the live model") as refused:
        trainer.train(starter, labels, {0: 500})
    assert refused.value.comparison is not None
    assert refused.value.comparison.difference < 0
    assert refused.value.comparison.categories["toxicity"].positives > 20
    assert sorted(trainer.models.iterdir()) == before


def test_too_little_frozen_data_is_refused_with_the_number_needed(trainer: Trainer, starter: Bundle) -> None:
    with pytest.raises(Refused, match="a category needs 8 positives and 8 negatives"):
        trainer.train(starter, labels_of_campaign(campaign=10, talk=10, insults=5), {0: 25})
    with pytest.raises(Refused, match="a category needs"):
        trainer.train(starter, [], {})


def test_what_cannot_be_checked_does_not_change(trainer: Trainer, starter: Bundle) -> None:
    """Two insults are too few to compare toxicity: spam is trained, toxicity stays to the bit."""
    made = trainer.train(starter, labels_of_campaign(campaign=100, talk=150, insults=2), {0: 252})
    assert made.bundle.manifest.lineage["trained"] == ["spam"]
    toxicity = starter.categories.index("toxicity")
    np.testing.assert_array_equal(made.bundle.parts.weights[:, toxicity], starter.parts.weights[:, toxicity])


def second(trainer: Trainer, first: Candidate) -> Candidate:
    return trainer.train(first.bundle, labels_of_campaign(campaign=120, talk=160, insults=60), {0: 340})


def test_training_on_starts_from_the_base_again(trainer: Trainer, starter: Bundle) -> None:
    """So that no label counts twice: via an intermediate model or directly, the same labels give the same model."""
    first = trainer.train(starter, labels_of_campaign(campaign=100, talk=150, insults=60), {0: 310})
    direct = trainer.train(starter, labels_of_campaign(campaign=120, talk=160, insults=60), {0: 340})
    via = second(trainer, first)
    assert via.bundle.manifest.lineage["base"] == starter.model_version
    assert via.bundle.manifest.content_hash == direct.bundle.manifest.content_hash


def test_without_its_base_it_trains_on_from_the_live_model(trainer: Trainer, starter: Bundle) -> None:
    first = trainer.train(starter, labels_of_campaign(campaign=100, talk=150, insults=60), {0: 310})
    shutil.rmtree(starter.folder)
    assert second(trainer, first).bundle.manifest.lineage["base"] == first.bundle.model_version


def test_the_same_labels_again_are_nothing_new(trainer: Trainer, starter: Bundle) -> None:
    labels = labels_of_campaign(campaign=100, talk=150, insults=60)
    made = trainer.train(starter, labels, {0: 310})
    with pytest.raises(Refused, match="teach nothing new"):
        trainer.train(made.bundle, labels, {0: 310})


def test_with_enough_audit_labels_the_candidate_is_calibrated_again(
    trainer: Trainer, starter: Bundle
) -> None:
    labels = labels_of_campaign(campaign=1300, talk=1400, insults=60)
    made = trainer.train(starter, labels, {0: 2760})
    told = made.bundle.manifest
    assert told.calibration.startswith("on labels of the audit split: spam ")
    assert starter.manifest.calibration in told.calibration
    assert "toxicity" not in told.calibration.split(";")[0], "too few insults to go by"
    spam = told.metrics["calibration"]["spam"]
    assert spam["n"] > 200 and spam["ece"] < 0.05 and spam["brier"] < 0.05


def test_the_committee_goes_on(trainer: Trainer, starter: Bundle) -> None:
    made = trainer.train(starter, labels_of_campaign(campaign=100, talk=150, insults=2), {0: 252})
    hate, spam = starter.categories.index("hate"), starter.categories.index("spam")
    before, after = starter.parts.heads, made.bundle.parts.heads
    assert before is not None and after is not None
    np.testing.assert_array_equal(before.weights[:, :, hate], after.weights[:, :, hate])
    assert (before.weights[:, :, spam] != after.weights[:, :, spam]).any(axis=1).all()


def test_a_model_of_tokens_is_not_trained_here(trainer: Trainer, tmp_path: Path) -> None:
    tiny.save(tmp_path / "tiny")
    with pytest.raises(Refused, match="no byte n-gram model"):
        trainer.train(bundle.load(tmp_path / "tiny"), labels_of_campaign(100, 100, 100), {0: 300})
