"""Normalisation, what it undoes and leaves alone, and where each normalised character came from."""

import re
import sys
import time
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.scoring.lookalikes import ANYWHERE, IN_LATIN_WORDS
from services.scoring.normalise import CHUNK, MANY, SHORT, align, normalise, normalise_all
from services.scoring.plain import suspects

ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()), max_size=60)
# What the rules are about, so that they meet each other far more often than in any text.
TRICKY = st.text(
    st.sampled_from("abbaA e it  1013457$$@!!..--__**\t\n\0\x08/:#'"
        "éïß\u0301\u0308\u0336\u20e3аеоАиПα\u200b\u00ad\ufe0fＡıİﬁ你ᄒ\u1161\u11ab"),
    max_size=24,
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello  World", "hello world"),
        (" \t two\r\nlines ", "two lines"),
        ("ｗｉｄｅ Ⅳ ﬁne", "wide iv fine"),
        ("STRASSE Straße", "strasse strasse"),
        ("a\u00a0b\u2003c", "a b c"),
        ("nul\0byte", "nul byte"),
        ("e\u0301", "é"),
        ("", ""),
        ("  ", ""),
        ("\ud800 lone", "\ud800 lone"),
        ("don’t “shout” – please…", 'don\'t "shout" - please...'),
    ],
)
def test_what_a_text_becomes(text: str, expected: str) -> None:
    assert normalise(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ѕtupіd idіоt", "stupid idiot"),  # Cyrillic letters among Latin ones
        ("ΗΕLLO wοrld", "hello world"),  # Greek ones
        ("ɪᴅɪᴏᴛ 🅸🅳🅸🅾🆃 ⓘⓓⓘⓞⓣ", "idiot idiot idiot"),
        ("id\u200biot i\u00addiot \u202eidiot \ufeffidiot", "idiot idiot idiot idiot"),
        ("id\x08iot", "idiot"),
        ("s̶t̶u̶p̶i̶d̶ i̇̈̈d̈̂̂ï̄͛o͛̈t̂̈", "stupid idiot"),
        ("stuuuuupid nooooo", "stuupid noo"),
        ("sh!t b1tch id10t h0e f4gg0t cr@p", "shit bitch idiot hoe faggot crap"),
        ("a$$ pu$$y $hit", "ass pussy shit"),
        ("ı́d̶ìȯt İstanbul'da çok", "ıdiot istanbul'da çok"),  # no letter has the mark of the d
        ("he11o th3r3", "hello there"),
        ("you (i d i o t!)", "you (idiot!)"),
        ("you i d i o t now", "you idiot now"),
        ("y o u  i d i o t", "you idiot"),
        ("i\nd\ni\no\nt", "idiot"),
        ("i d 1 0 t", "idiot"),
        ("f.o.o.l f-o-o-l f*o*o*l f_o_o_l", "fool fool fool fool"),
        ("и д и о т", "идиот"),
    ],
)
def test_evasion_is_undone(text: str, expected: str) -> None:
    assert normalise(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "идиот",  # wholly in another script, look-alikes or not
        "соре",
        "smsки",  # a Latin stem with a Cyrillic ending that looks like nothing Latin
        "ünïcödé naïve año",
        "й ё ế",
        "the 2nd of 10 at 5pm, mp3, covid19, h2o2, 4chan, 50cent",
        "@u5er https://t.co/8ka1d h0st.example/a1b a1b@c3d.example",
        "great!thanks now!use",
        "k7x1234 w1j6hl",
        "1 2 3 4 5 6",
        "a b c",
        "u.s.a r.i.p",
        "www.example.org xxx kkk",
        "good, really good!!!",
    ],
)
def test_what_is_no_evasion_stays(text: str) -> None:
    assert normalise(text) == text


UNSETTLED = re.compile(
    "[\u1c80\u1c82-\u1c85\u0345\u1fb3\u1fbc\u1fc3\u1fcc\u1ff3\u1ffc]"
)  # docs/normalisation.md


@settings(max_examples=300, deadline=None)
@given((ANY_TEXT | TRICKY).filter(lambda text: not UNSETTLED.search(unicodedata.normalize("NFKC", text))))
def test_a_normalised_text_stays_as_it_is(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once
    assert "\0" not in once


def test_every_single_character_is_settled_at_once() -> None:
    assigned = (chr(c) for c in range(sys.maxunicode + 1) if unicodedata.category(chr(c)) not in ("Cn", "Co"))
    unsettled = [
        c for c in assigned if not c.isalpha() or c.lower() != c if normalise(normalise(c)) != normalise(c)
    ]
    assert not unsettled


@pytest.mark.parametrize(
    "piece",
    [
        "a0b-",
        "a b ",
        "a.b.",
        "i\u0336",
        "аb",
        "aaaa ",
        "\u200b",
        "$a",
        "你",
        "a0",
        "  \t",
        "e\u0301\u0301",
        "x",
        "x!",
    ],
)
def test_work_grows_with_the_text_not_with_its_square(piece: str) -> None:
    text = piece * (120_000 // len(piece))
    begun = time.process_time()
    assert align(text).text == normalise(text)
    assert time.process_time() - begun < 6


def test_case_does_not_matter_to_lookalikes() -> None:
    for odd, plain in IN_LATIN_WORDS.items():
        assert odd.casefold() in IN_LATIN_WORDS and plain.isascii()
        assert ord(odd) not in ANYWHERE


@settings(max_examples=300, deadline=None)
@given(st.lists(ANY_TEXT | TRICKY, max_size=2 * MANY))
def test_texts_are_normalised_together_as_each_is_alone(texts: list[str]) -> None:
    """The list is repeated, so that it is always long enough to be looked at together."""
    together = texts * (MANY // max(1, len(texts)) + 1)
    assert normalise_all(together) == [normalise(text) for text in together]
    assert normalise_all(texts) == [normalise(text) for text in texts]


def test_many_texts_and_long_ones_are_normalised_together_as_each_is_alone() -> None:
    texts = [f"Post {number}" + "!" * (number % 3) + " ok" * (number % 7) for number in range(2 * CHUNK + 1)]
    texts[CHUNK] = "Loooong " * SHORT
    assert normalise_all(texts) == [normalise(text) for text in texts]


def test_most_texts_are_plain_and_nothing_that_changes_is() -> None:
    plain = [
        "have a nice day!",
        "i paid $5 for 2 of them, at 10:30 - ok?",
        "go",
        "see example.org",
        "it's 2nd",
    ]
    assert suspects(plain) == []
    odd = [
        " a",
        "a ",
        "a  b",
        "a\tb",
        "a\n",
        "nul\0",
        "cooool",
        "n00b",
        "pu$",
        "$hit",
        "say y o u now",
        "f.o.o.l",
        "\x7f",
    ]
    assert suspects(odd) == list(range(len(odd)))
    mixed = [text for pair in zip(plain, odd, strict=False) for text in pair]
    assert suspects(mixed) == list(range(1, len(mixed), 2))


@given(ANY_TEXT | TRICKY)
def test_alignment_is_of_the_normalised_text(text: str) -> None:
    found = align(text)
    assert found.text == normalise(text)
    assert len(found.starts) == len(found.ends) == len(found.text)
    assert all(0 <= s < e <= len(text) for s, e in zip(found.starts, found.ends, strict=True))
    assert list(found.starts) == sorted(found.starts)


@pytest.mark.parametrize(
    ("text", "word", "original"),
    [
        ("  So  ﬁne,\u00a0e\u0301clair ＯＫ", "fine", "ﬁne"),
        ("  So  ﬁne,\u00a0e\u0301clair ＯＫ", "éclair", "e\u0301clair"),
        ("  So  ﬁne,\u00a0e\u0301clair ＯＫ", "ok", "ＯＫ"),
        ("you  i d i o t  there", "idiot", "i d i o t"),
        ("well, s.t.u.p.i.d is it", "stupid", "s.t.u.p.i.d"),
        ("such fools!", "fools", "fools"),
        ("such stuuuuupidddd things", "stuupidd", "stuuuuupidddd"),
        ("an id\u200biоt \u202eis", "idiot", "id\u200biоt"),
        ("an s̶t̶u̶p̶i̶d̶ one", "stupid", "s̶t̶u̶p̶i̶d̶"),
        ("Ⅳ 1 h0e, b1tch3s", "bitches", "b1tch3s"),
    ],
)
def test_offsets_lead_back_to_the_original(text: str, word: str, original: str) -> None:
    found = align(text)
    begin = found.text.index(word)
    assert text[slice(*found.original(begin, begin + len(word)))] == original
