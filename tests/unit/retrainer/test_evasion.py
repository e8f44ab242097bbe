"""Disguised texts are what they say, and normalisation brings most of them back, with offsets that are right."""

import pytest

from services.retrainer.evasion import TRICKS, disguise, spelt_out
from services.scoring.bundle import load
from services.scoring.explain import explain
from services.scoring.normalise import align, fold_only, normalise

AT_LEAST = {
    "look_alike": 50,
    "leetspeak": 50,
    "hidden": 100,
    "marked": 90,
    "stretched": 85,
    "spelt_out": 90,
}  # of 100
TEXT = "See you at the station on monday, you horrible stupid idiot, see http://example.org/page @somebody"


def test_the_same_seed_makes_the_same_text() -> None:
    assert disguise(TEXT, 1) == disguise(TEXT, 1) != disguise(TEXT, 2)
    assert disguise(TEXT, 1, share=0).text == TEXT


def test_it_tells_where_each_word_went_and_leaves_addresses() -> None:
    found = disguise(TEXT, 3, share=1)
    assert found.text.endswith("http://example.org/page @somebody")
    assert [TEXT[slice(*before)] for before, _ in found.words][:4] == ["See", "you", "the", "station"]
    ends = [0]
    for (begin, end), (there, past) in found.words:
        assert found.text[there:past].strip() and there >= ends[-1]
        ends.append(past)
        assert TEXT[begin:end].isalpha()


@pytest.mark.parametrize("trick", TRICKS, ids=lambda trick: trick.__name__)
def test_most_of_each_trick_is_undone(trick: object) -> None:
    import random

    words = [
        "idiot",
        "stupid",
        "horrible",
        "nobody",
        "monday",
        "pathetic",
        "station",
        "prize",
        "winner",
        "call",
    ]
    draw = random.Random(5)
    undone, folded = 0, 0
    for _ in range(10):
        for word in words:
            text = f"you are 1 {trick(word, draw)} ok"  # type: ignore[operator]
            plain = {f"you are 1 {word} ok", *(f"you are 1 {word.replace(c, 2 * c)} ok" for c in word)}
            undone += normalise(text) in plain
            folded += fold_only(text) in plain
    assert folded < 25
    assert undone >= AT_LEAST[trick.__name__]  # type: ignore[attr-defined]


@pytest.mark.parametrize("seed", range(40))
def test_an_explained_span_of_a_disguised_text_lies_where_the_word_stands(seed: int) -> None:
    starter = load("infra/starter")
    found = disguise("See you monday, you stupid idiot and pathetic loser", seed, share=0.6)
    places = [there for _, there in found.words]
    words = dict(
        zip(
            ("see", "you", "monday", "you2", "stupid", "idiot", "and", "pathetic", "loser"),
            places,
            strict=True,
        )
    )
    normal = align(found.text)
    for word in ("stupid", "idiot", "loser"):
        begin, end = words[word]
        if f" {word} " in f" {normal.text} ":
            at = f" {normal.text} ".index(f" {word} ")
            assert normal.original(at, at + len(word)) == (begin, end)
    for span in explain(starter, found.text, "toxicity", limit=50):
        inside = [place for place in places if place[0] < span.end and span.start < place[1]]
        if len(inside) == 1:  # several only where spelt-out neighbours ran into each other
            assert inside[0][0] <= span.start and span.end <= inside[0][1], found.text


def test_a_spelt_out_word_is_marked_as_a_whole() -> None:
    starter = load("infra/starter")
    import random

    text = f"you {spelt_out('idiot', random.Random(0))} there"
    span = explain(starter, text, "toxicity", limit=1)[0]
    assert normalise(text[span.start : span.end]) == "idiot"
