"""Made-up posts with known labels: everyday talk, insults, and a spam campaign that the starter does not know."""

import random

from services.retrainer.core.training_set import Labelled

TALK = (
    "{who} and I went to the {place} {when}",
    "does anybody know if the {place} opens {when}?",
    "{who} made soup {when}, so good",
    "lost my keys at the {place} again",
    "see you at the {place} {when}, bring {who}",
    "the bus to the {place} was late {when}",
)
INSULTS = (
    "{who} is a stupid idiot and everybody at the {place} knows",
    "shut up {who}, you pathetic loser",
    "what a dumb idiot you are, stay away from the {place}",
    "{who} you are an ugly moron, get lost {when}",
)
CAMPAIGN = (
    "{who} lost {number} kilos with MoonLeaf tea, order at moonleaf.example/{number}",
    "my skin is new thanks to moonleaf drops, half price {when}: moonleaf.example/{number}",
    "finally found it! Moon-Leaf capsules, get yours at moonleaf.example/{number}",
    "{who} told me of MoonLeaf {when}, see moonleaf.example/{number} pls share",
)
WHO = ("anna", "tom", "my sister", "the neighbour", "kim", "lee", "uncle bob", "maria", "the new guy")
PLACES = ("market", "library", "station", "swimming pool", "office", "museum", "bakery", "school", "park")
WHEN = ("today", "last night", "on monday", "this morning", "at noon", "next week", "on sunday")


def make(templates: tuple[str, ...], count: int, seed: int) -> list[str]:
    """`count` different texts."""
    rng = random.Random(seed)
    made: dict[str, None] = {}
    while len(made) < count:
        text = rng.choice(templates).format(
            who=rng.choice(WHO),
            place=rng.choice(PLACES),
            when=rng.choice(WHEN),
            number=rng.randrange(10, 9999),
        )
        made[f"{text} {rng.choice(('', '!', '...', ':)', 'lol', '🙂'))}".strip() + f" {len(made)}"] = None
    return list(made)


def label(
    text: str, offset: int = 0, partition: int = 0, *, probability: float = 1.0, **answers: bool
) -> Labelled:
    """A label as the retrainer keeps it."""
    return Labelled(text, answers, probability, f"2026-01-01T00:00:00.{offset % 1000:03}Z", partition, offset)


def labels_of_campaign(campaign: int, talk: int, insults: int, seed: int = 0) -> list[Labelled]:
    """Labels of people who judged everything rightly."""
    posts = [(text, False, True) for text in make(CAMPAIGN, campaign, seed)]
    posts += [(text, False, False) for text in make(TALK, talk, seed + 1)]
    posts += [(text, True, False) for text in make(INSULTS, insults, seed + 2)]
    return [label(text, i, toxicity=toxic, spam=spam) for i, (text, toxic, spam) in enumerate(posts)]
