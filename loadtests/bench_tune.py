"""`python -m loadtests.bench_tune`: what thresholds with a guarantee automate, and how often a bound breaks.

Davidson's tweets, offensive or hateful against neither. A model is trained on 12,000 texts of the pool and calibrated
on the audit split; everything else is the population, which neither has seen. Audits are drawn from it independently,
and risks are taken over all of it. For 5% prevalence an item's weight says how many items it stands for. Weights differ
by answer, so nothing but the draw sees them: neither planning nor certifying does.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from loadtests.figures import Row, printed
