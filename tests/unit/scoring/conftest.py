"""A small model of made-up weights, as graph and as bundle."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from services.scoring import bundle
from services.scoring.bytegram import ROWS, Floats
from services.scoring.bytegraph import graph
from services.scoring.classify import ByteClassifier

CATEGORIES = ("toxicity", "spam")


@pytest.fixture(scope="session")
def made() -> tuple[Floats, Floats]:
    rng = np.random.default_rng(7)
    return rng.normal(size=(ROWS, 2)).astype(np.float32), np.array([-0.5, 0.25], np.float32)


@pytest.fixture(scope="session")
def classifier(made: tuple[Floats, Floats]) -> ByteClassifier:
    return ByteClassifier(graph(*made).SerializeToString(), "made-up", CATEGORIES)


@pytest.fixture
def make_bundle(tmp_path: Path, made: tuple[Floats, Floats]) -> Callable[[], Path]:
    """A good bundle in a folder of its own."""

    def make() -> Path:
        precision = np.ones((ROWS + 1, 2), np.float32)
        bundle.save(tmp_path / "bundle", graph(*made), "made-up", CATEGORIES, precision=precision)
        return tmp_path / "bundle"

    return make
