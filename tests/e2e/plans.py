"""What the end-to-end tests publish: posts, and among them edits, withdrawals and exact repeats, by both ways."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from loadtests.play import Play, Via
from loadtests.posts import Post, campaign, posts


def plan(prefix: str, regular: int, spam: int, seed: int) -> list[Play]:
    """`regular` posts and `spam` ones of the campaign, mixed; every tenth is edited, withdrawn or comes again."""
    chosen = posts(regular, seed, prefix=prefix)
    others = campaign(spam, seed, prefix=f"{prefix}-spam")
    every = max(1, regular // spam) if spam else regular + 1
    mixed: list[Post] = []
    for number, post in enumerate(chosen):
        mixed.append(post)
        if number % every == 0 and others:
            mixed.append(others.pop())
    return with_changes(mixed + others)


def with_changes(chosen: Sequence[Post]) -> list[Play]:
    """The posts as plays, with edits, withdrawals and repeats some places after what they are about."""
    plays: list[Play] = []
    later: list[tuple[int, Play]] = []  # due at that length
    for number, post in enumerate(chosen):
        via: Via = "kafka" if number % 5 == 0 else "http"
        first = Play(post.item_id, post.text, post.labels, via=via)
        edit = replace(first, revision=2, kind="edit", text=f"{post.text} (edited)")
        withdrawal = replace(first, kind="withdrawal")
        other: Via = "http" if via == "kafka" else "kafka"
        plays.append(first)
        soon, late = len(plays) + 7, len(plays) + 150
        match number % 50:
            case 3:
                later.append((soon, edit))
            case 8:
                later.append((late, edit))
            case 13:
                later.append((soon, withdrawal))
            case 18:
                later.append((late, withdrawal))
            case 23 | 25:
                later.append((soon, first))  # the very same again
            case 28 | 30:
                later.append((soon, replace(first, via=other)))  # by the other way
            case 33:
                later += [(soon, edit), (late, replace(withdrawal, revision=2))]
            case 38:
                later += [(soon, withdrawal), (late, replace(edit, revision=2))]  # back again
            case 43:
                later += [(soon, edit), (late, first)]  # the old revision comes after the new one
        due = [play for at, play in later if at <= len(plays)]
        later = [(at, play) for at, play in later if at > len(plays)]
        plays += due
    return plays + [play for _, play in later]
