"""Posts of our own with known labels: wordings with gaps, filled at random. Harmless to read, on purpose.

A gap is `{name}`, its fillings are in FILLINGS; `{number}` and `{n}` are random numbers. The wordings are such that a
model trained on real posts finds some clear and some not, which is what a test of the loop needs.
"""

from __future__ import annotations

import random
import string
from collections.abc import Mapping, Sequence
from typing import NamedTuple


class Wording(NamedTuple):
    """One template and what is wrong with every post made from it."""

    text: str
    labels: frozenset[str]


CLEAN: frozenset[str] = frozenset()
TOXIC = frozenset({"toxicity"})
HATE = frozenset({"toxicity", "hate"})
SPAM = frozenset({"spam"})

FILLINGS: Mapping[str, Sequence[str]] = {
    "who": ("my brother", "our neighbour", "the new manager", "my cousin", "the bus driver", "Sam", "Priya", "Tom"),
    "place": ("the park", "the lake", "town", "the market", "the library", "my gran's", "the station", "the beach"),
    "thing": ("the match", "that film", "the new album", "the recipe", "the trailer", "the plot", "the quiz"),
    "time": ("tonight", "on Sunday", "this morning", "after lunch", "next week", "at six", "yesterday"),
    "feeling": ("lovely", "great", "a bit odd", "quite long", "really good", "better than I thought", "tiring"),
    "fool": ("idiot", "moron", "clown", "stupid fool", "muppet", "donut", "loser", "pathetic little worm"),
    "mild": ("muppet", "donut", "wally", "plonker", "daft sod", "numpty", "silly goose", "clown"),
    "sneer": ("shut up", "nobody likes you", "get lost", "go away and stay away", "you make me sick"),
    "folk": ("Blorbians", "people from Zubrovka", "the Lilliputians", "all those Quimbians"),
    "prize": ("a £{number} prize", "a FREE phone", "2 cinema tickets", "a £{number} voucher", "a holiday for two"),
    "act": ("Call {number} now", "Text WIN to {number}", "Reply YES to {number}", "Txt CLAIM to {number}"),
}  # fmt: skip

WORDINGS: Sequence[Wording] = (
    Wording("{who} and I went to {place} {time}, it was {feeling}", CLEAN),
    Wording("has anybody seen {thing} yet? {who} says it is {feeling}", CLEAN),
    Wording("I liked {thing}, {feeling} if you ask me. {number} people were there", CLEAN),
    Wording("who is coming to {place} {time}? we are {number} so far", CLEAN),
    Wording("thanks {who}, {thing} was {feeling} {time}", CLEAN),
    Wording("is {place} open {time}? the sign says page {number} of the guide", CLEAN),
    Wording("{who} got caught in the rain at {place} {time}, {feeling} anyway", CLEAN),
    Wording("oh you {mild}, that was never offside, ask {who}", CLEAN),
    Wording("{who} was a right {mild} at {place} {time}, we laughed for {number} minutes", CLEAN),
    Wording("call me {time} when you get to {place}, I have the {number} tickets", CLEAN),
    Wording("{who} is a {fool}, {sneer}", TOXIC),
    Wording("you stupid {fool}, {thing} was not for the likes of you, {sneer}", TOXIC),
    Wording("what a {fool} you are, {sneer} {time}, {number} of us agree", TOXIC),
    Wording("{sneer}, you {fool}, and take {who} with you to {place}", TOXIC),
    Wording("{folk} are {fool}s, the lot of them, {sneer} {time}", HATE),
    Wording("I hate {folk}, they ruin {place} {time}, every {fool} of them, all {number}", HATE),
    Wording("URGENT! You have won {prize}. {act} to claim. T&Cs apply", SPAM),
    Wording("Congratulations, {who} chose you for {prize}! {act}", SPAM),
    Wording("FREE entry: {prize} to be won {time}. {act}, 150p a msg", SPAM),
)  # fmt: skip


NUMBERS = {
    "number": (2, 90_000),
    "n": (2, 99),
}  # gaps that are filled with a random number, and from where to where


def fill(template: str, draw: random.Random, fillings: Mapping[str, Sequence[str]] = FILLINGS) -> str:
    """The template with every gap filled, and the gaps of its fillings. KeyError where a gap has no fillings."""
    gaps = [name for _, name, _, _ in string.Formatter().parse(template) if name]
    return template.format(**{name: _filling(name, draw, fillings) for name in gaps})


def _filling(name: str, draw: random.Random, fillings: Mapping[str, Sequence[str]]) -> str:
    if name in NUMBERS:
        return str(draw.randrange(*NUMBERS[name]))
    return fill(draw.choice(fillings[name]), draw, fillings)
