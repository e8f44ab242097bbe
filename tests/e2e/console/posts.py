"""Made-up posts for the console: ordinary, long, unbroken, right to left, without text."""

from __future__ import annotations

from typing import Any

from services.events.types import Author, Item, Media, Score, Selection, Span

SOUP = (
    "You call this a recipe? My cat cooks better than you do. Anyway: visit my page tonight, "
    "the first fifty who sign up get the secret spice mix for free."
)


def span(part: str, category: str, weight: float) -> Span:
    """Where a part of SOUP is."""
    start = SOUP.index(part)
    return Span(start=start, end=start + len(part), category=category, weight=weight)


def ordinary() -> dict[str, Any]:
    """A comment with everything that a platform may send."""
    return {
        "item": Item(
            kind="comment",
            text=SOUP,
            language="en",
            author=Author(id="user-77", created_at="2026-08-02T08:30:00.000Z"),
            context={
                "thread": "Sunday soup",
                "answers to": {
                    "author": "mina",
                    "text": "Here is my grandmother’s lentil soup, step by step.",
                },
            },
            reach=3400,
        ),
        "scores": (
            Score(category="toxicity", probability=0.47, disagreement=0.11),
            Score(category="hate", probability=0.03, disagreement=0.01),
            Score(category="spam", probability=0.58, disagreement=0.09),
        ),
        "explanation": (
            span("My cat cooks better than you do", "toxicity", 0.9),
            span("visit my page tonight", "spam", 1.6),
            span("the first fifty who sign up", "spam", 0.6),
        ),
        "selection": Selection(reason="uncertain", probability=1.0),
    }


def plain(text: str, language: str = "en") -> dict[str, Any]:
    """A post of a text and nothing else."""
    return {"item": Item(kind="post", text=text, language=language), "explanation": ()}


def overfull() -> dict[str, Any]:
    """A long text with an unbroken word, many categories, long names, media and deep context."""
    word = "supercalifragilistic" * 12
    text = f"{'All work and no play makes a dull post. ' * 40}{word} {'Once more, from the start. ' * 10}"
    names = [
        "toxicity",
        "hate",
        "spam",
        "self_promotion_of_dubious_products",
        "impersonation",
        "scam",
        "other",
    ]
    return {
        "item": Item(
            kind="post",
            text=text,
            language="en",
            author=Author(id="a-very-long-account-name-that-goes-on-" * 3),
            context={
                "thread": {"title": word, "tags": ["one", "two"], "op": {"text": "Hello 🌊", "likes": 3}}
            },
            media=(Media(url=f"https://media.example/{word}.png", media_type="image/png"),),
            reach=12_345_678,
        ),
        "scores": tuple(Score(category=name, probability=0.1 + 0.1 * i) for i, name in enumerate(names)),
        "explanation": (Span(start=0, end=40, category="toxicity", weight=0.4),),
    }


ARABIC = "مرحبا بكم في مطبخنا! وصفة اليوم هي شوربة العدس مع الليمون، جربوها وأخبروني برأيكم (soup 🍲)."
HEBREW = "שלום לכולם, המתכון של היום: מרק עדשים עם לימון. ספרו לי איך יצא!"
