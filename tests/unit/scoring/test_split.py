"""The fixed split: these digests must never change, or what was held out would be trained on."""

from collections import Counter

import pytest

from services.scoring.split import Split, certifies, split_of


@pytest.mark.parametrize(
    ("text", "part"),
    # SHA-256 begins 9f86d081 (…, 2676412545), 2cf24dba (754077114), ca978112 (3398926610), 3e23e816 (1042540566)
    [("test", Split.POOL), ("hello", Split.POOL), ("a", Split.TEST), ("b", Split.POOL)],
)
def test_known_texts(text: str, part: Split) -> None:
    assert split_of(text) is part


def test_shares_are_as_documented() -> None:
    shares = Counter(split_of(f"text {i}") for i in range(10_000))
    assert abs(shares[Split.TEST] - 2_000) < 200
    assert abs(shares[Split.AUDIT] - 1_000) < 150


def test_a_lone_surrogate_has_a_side() -> None:
    assert split_of("\ud800") in Split


def test_half_of_the_audit_split_certifies() -> None:
    audits = [text for text in (f"text {i}" for i in range(20_000)) if split_of(text) is Split.AUDIT]
    assert abs(sum(map(certifies, audits)) - len(audits) / 2) < 0.05 * len(audits)
