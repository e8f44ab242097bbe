"""What a run came to, in figures: out of the manifest and the outcomes alone. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from loadtests.manifest import Contents, Key
from loadtests.outcomes import At, Outcomes
from services.events.instants import to_millis

BEFORE, MEANWHILE, AFTER = "campaign before", "campaign meanwhile", "campaign after"  # parts of the manifest


@dataclass(frozen=True)
class Caught:
    """What became of a part of the campaign. Shares of its posts."""

    posts: int
    by_machine: float  # removed automatically
    asked: float  # people were asked
    removed: float  # removed in the end, by whomever


@dataclass(frozen=True)
class Latency:
    """From accepted to outcome, in ms; None where there was none."""

    p50: float | None
    p95: float | None


@dataclass
class Figures:
    """Everything that the table shows of posts."""

    posts: int = 0  # acknowledged, edits included
    machine: Counter[str] = field(default_factory=Counter)  # final decisions by action
    people: Counter[str] = field(default_factory=Counter)
    versions: Counter[str] = field(default_factory=Counter)  # final automatic decisions by model version
    audits: int = 0  # settled ones
    audits_agreed: int = 0  # those in which people did what the machine had done
    as_known: float | None = None  # share of people's decisions that fit the known label
    latency_machine: Latency = Latency(None, None)
    latency_people: Latency = Latency(None, None)
    before: Caught = Caught(0, 0, 0, 0)
    meanwhile: Caught = Caught(0, 0, 0, 0)
    after: Caught = Caught(0, 0, 0, 0)


def figures(manifest: Contents, outcomes: Outcomes) -> Figures:
    """Of all posts of the manifest."""
    found = Figures(posts=sum(times.acknowledged > 0 for times in manifest.posts.values()))
    ages: dict[str, list[int]] = {"machine": [], "people": []}
    fitting: list[bool] = []
    for key, times in manifest.posts.items():
        for at in _finals(outcomes, key):
            event = at.event
            who = {"automated": "machine", "human": "people"}.get(event.basis)
            if who is None:
                continue
            (found.machine if who == "machine" else found.people)[event.action] += 1
            if who == "machine" and event.model_version:
                found.versions[event.model_version] += 1
            if who == "people":
                fitting.append((event.action == "remove") == bool(times.labels))
            if event.accepted_at:
                ages[who].append(at.timestamp - to_millis(event.accepted_at))
    found.as_known = sum(fitting) / len(fitting) if fitting else None
    found.latency_machine, found.latency_people = _latency(ages["machine"]), _latency(ages["people"])
    _audits(found, outcomes)
    found.before, found.meanwhile, found.after = (
        _caught(manifest, outcomes, part) for part in (BEFORE, MEANWHILE, AFTER)
    )
    return found


def _finals(outcomes: Outcomes, key: Key) -> list[At]:
    """Final decisions, each number once."""
    numbered = {
        at.event.decision_seq: at for at in reversed(outcomes.decisions.get(key, [])) if at.event.final
    }
    return [numbered[number] for number in sorted(numbered)]


def _audits(found: Figures, outcomes: Outcomes) -> None:
    for task, settled in outcomes.settlements.items():
        if settled[0].purpose == "audit" and settled[0].agreed:
            finals = _finals(outcomes, outcomes.key(task))
            found.audits += 1
            found.audits_agreed += bool(finals) and finals[0].event.action == settled[0].action


def _caught(manifest: Contents, outcomes: Outcomes, part: str) -> Caught:
    keys = [key for key, times in manifest.posts.items() if times.part == part and times.acknowledged]
    if not keys:
        return Caught(0, 0, 0, 0)
    finals = {key: _finals(outcomes, key) for key in keys}
    machine = sum(
        any(at.event.decision_seq == 0 and at.event.action == "remove" for at in finals[key]) for key in keys
    )
    removed = sum(bool(finals[key]) and finals[key][-1].event.action == "remove" for key in keys)
    asked = sum(bool(outcomes.tasks.get(key)) for key in keys)
    return Caught(len(keys), machine / len(keys), asked / len(keys), removed / len(keys))


def _latency(ages: Sequence[int]) -> Latency:
    return Latency(_quantile(ages, 0.5), _quantile(ages, 0.95))


def _quantile(values: Sequence[int], share: float) -> float | None:
    """The nearest-rank quantile."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)] if values else None
