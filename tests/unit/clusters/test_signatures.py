"""How alike two texts are, estimated from signatures; and what is found by bands."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.clusters.core import Index, rows_for, signature_of, similarity
from services.clusters.core.index import CROWD
from services.clusters.core.signatures import PLACES, SHINGLE, bands
from services.scoring.normalise import normalise
from tests.unit.clusters.making import spam, unlike


def sign(text: str) -> bytes:
    found = signature_of(text)
    assert found is not None and len(found) == 4 * PLACES
    return found


def jaccard(one: str, other: str) -> float:
    """Of the sets of shingles, exactly."""
    a, b = (
        {text[at : at + SHINGLE] for at in range(max(1, len(text) - SHINGLE + 1))}
        for text in (normalise(one), normalise(other))
    )
    return len(a & b) / len(a | b)


def test_signatures_estimate_the_similarity_of_texts() -> None:
    chance = random.Random(3)
    errors = []
    for _ in range(300):
        one = unlike(chance)
        words = one.split()
        for at in chance.sample(range(len(words)), chance.randrange(1, 12)):
            words[at] = unlike(chance, 1)
        other = " ".join(words)
        errors.append(similarity(sign(one), sign(other)) - jaccard(one, other))
    assert abs(sum(errors) / len(errors)) < 0.01
    assert (sum(error * error for error in errors) / len(errors)) ** 0.5 < 0.044


@given(st.text(min_size=1))
def test_a_text_is_like_itself_whatever_it_holds(text: str) -> None:
    signature = signature_of(text)
    if signature is not None:
        assert similarity(signature, sign(text)) == 1
    else:
        assert normalise(text) == ""


def test_evasions_that_normalisation_undoes_do_not_count() -> None:
    assert sign("FREE   entry, call  now") == sign("frее entry, call now")  # the second has Cyrillic letters


@pytest.mark.parametrize("text", [None, "", "  \n", "\u200b"])
def test_nothing_is_like_nothing(text: str | None) -> None:
    assert signature_of(text) is None


def test_half_a_surrogate_pair_and_a_long_text_are_no_trouble() -> None:
    assert sign("broken \ud800 emoji") == sign("broken \udfff emoji")
    assert sign("abcd" * 100_000) == sign("abcd" * 200_000)


@pytest.mark.parametrize(("threshold", "rows"), [(0.5, 3), (0.8, 6), (0.9, 10), (1.0, 16)])
def test_bands_are_as_wide_as_the_threshold_lets_them(threshold: float, rows: int) -> None:
    assert rows_for(threshold) == rows
    assert 1 - (1 - threshold**rows) ** (PLACES // rows) >= 0.99


def test_bands_find_near_copies_and_not_others() -> None:
    chance = random.Random(5)
    index = Index(rows_for(0.8))
    for number in range(2_000):
        index.add((0, b"%d" % number), sign(unlike(chance)))
    index.add((1, b"spam"), sign(spam(chance)))
    near = [text for text in (spam(chance) for _ in range(200))]
    alike = [text for text in near if list(index.suggestions(sign(text))) == [(1, b"spam")]]
    assert len(alike) >= 0.95 * len(near)
    assert not [text for text in (unlike(chance) for _ in range(200)) if list(index.suggestions(sign(text)))]


def test_what_is_removed_is_suggested_no_more_and_leaves_nothing_behind() -> None:
    chance = random.Random(7)
    index = Index(6)
    signatures = {(number % 4, b"%d" % number): sign(spam(chance)) for number in range(50)}
    for place, signature in signatures.items():
        index.add(place, signature)
        index.add(place, signature)
    assert len(index) == 50
    index.remove_shard(2)
    assert {shard for signature in signatures.values() for shard, _ in index.suggestions(signature)} == {
        0,
        1,
        3,
    }
    for place in signatures:
        index.remove(place)
    assert len(index) == 0 and not index._bands


def test_a_crowded_band_keeps_its_latest() -> None:
    index, signature = Index(6), sign("the same text for all of them")
    for number in range(CROWD + 10):
        index.add((0, b"%d" % number), signature)
    found = set(index.suggestions(signature))
    assert found == {(0, b"%d" % number) for number in range(10, CROWD + 10)}
    assert len(set(bands(signature, 6))) == PLACES // 6
