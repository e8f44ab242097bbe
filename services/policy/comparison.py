"""What a backtest found: outcomes as they were and as they would be, queues, categories, errors, examples."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec
import numpy as np

from services.policy.backtest import Replayed
from services.policy.certification.labels import Flags, Floats
from services.policy.model import Policy
from services.policy.queues import serving
from services.policy.recorded import Came, Recorded
from services.policy.route import Asked
from services.policy.tradeoff import Estimate, share

FEWEST = 30  # labels that a share is estimated from
EXAMPLES = 3  # of each kind of change
SHORT = 120  # characters of a text
MACHINES = ("remove", "limit")  # actions that can be wrong


class Label(NamedTuple):
    """What people said of an item: whether it violates, and how likely they were to see it."""

    violates: bool
    probability: float


class Pair(NamedTuple):
    """How many there were, and how many there would be."""

    before: int
    after: int


class Load(NamedTuple):
    """Questions to a queue, audits too, and votes that they want."""

    items: Pair
    votes: Pair


class Risk(NamedTuple):
    """A share of labels, estimated; None where `labels` are fewer than FEWEST."""

    estimate: Estimate | None
    labels: int


class Risks(NamedTuple):
    """Wrong removals: of what machines remove or limit, what people find fine. Missed: of what people find violating,
    what machines allow.
    """

    wrong_removals: Risk
    missed: Risk


@dataclass(frozen=True)
class Example:
    """An item that would come out otherwise."""

    item: str
    text: str
    scores: dict[str, float]
    before: Came
    after: Came
    rule_before: str | None
    rule_after: str | None


@dataclass
class Comparison:
    """Take every item; then ask."""

    labels: Mapping[tuple[str, int], Label] = field(default_factory=dict)  # by key and revision
    audits: bool = (
        True  # False: audits of verdicts in line were drawn by a policy that they do not name: not compared
    )
    items: int = 0
    differences: int = 0
    moved: Counter[tuple[str, str]] = field(default_factory=Counter)  # every kind of outcome before and after
    details: Counter[str] = field(default_factory=Counter)  # what else differs where the kind is the same
    examples: dict[tuple[str, str], list[Example]] = field(default_factory=dict)
    first: int | None = None  # ms
    last: int = 0
    _acted: tuple[Counter[str], Counter[str]] = field(default_factory=lambda: (Counter(), Counter()))
    _asked: tuple[Counter[str], Counter[str]] = field(default_factory=lambda: (Counter(), Counter()))
    _queued: tuple[Counter[str], Counter[str]] = field(default_factory=lambda: (Counter(), Counter()))
    _votes: tuple[Counter[str], Counter[str]] = field(default_factory=lambda: (Counter(), Counter()))
    _labelled: list[tuple[str, str, Label]] = field(default_factory=list)

    def take(self, seen: Recorded, replayed: Replayed) -> None:
        """One item."""
        before, after = seen.came, replayed.came
        self.items += 1
        self.first = seen.at if self.first is None or seen.at < self.first else self.first
        self.last = max(self.last, seen.at)
        if before.verdict == "review" and before.queue is None and after.verdict == "review":
            before = before._replace(why=after.why, queue=after.queue)
        if seen.inline and not self.audits:
            before = before._replace(audited=after.audited)
        self._weigh(seen, replayed)
        self.moved[before.kind, after.kind] += 1
        if before == after:
            return
        self.differences += 1
        if before.kind == after.kind:
            self.details[_what(before, after)] += 1
        shown = self.examples.setdefault((before.kind, after.kind), [])
        if len(shown) < EXAMPLES:
            shown.append(_example(seen, before, replayed))

    def categories(self) -> dict[str, tuple[Pair, Pair]]:
        """Of each category: items acted on for it, and items asked about for it."""
        names = sorted({name for counts in (*self._acted, *self._asked) for name in counts})
        return {
            name: (
                Pair(self._acted[0][name], self._acted[1][name]),
                Pair(self._asked[0][name], self._asked[1][name]),
            )
            for name in names
        }

    def loads(self) -> dict[str, Load]:
        """Of each queue; the first question of an item only, as escalations are people's doing."""
        names = sorted(self._queued[0].keys() | self._queued[1].keys())
        return {
            name: Load(
                Pair(self._queued[0][name], self._queued[1][name]),
                Pair(self._votes[0][name], self._votes[1][name]),
            )
            for name in names
        }

    @property
    def hours(self) -> float:
        """How long the history is."""
        return 0.0 if self.first is None else (self.last - self.first) / 3_600_000

    @property
    def labelled(self) -> int:
        """How many items have a label."""
        return len(self._labelled)

    def risks(self, confidence: float = 0.95) -> tuple[Risks, Risks]:
        """Before and after, each label weighted by how likely people were to see its item."""
        violates = np.array([label.violates for _, _, label in self._labelled], bool)
        probability = np.array([label.probability for _, _, label in self._labelled], np.float64)
        found = []
        for column in (0, 1):
            verdicts = [row[column] for row in self._labelled]
            removed = np.array([verdict in MACHINES for verdict in verdicts], bool)
            allowed = np.array([verdict == "allow" for verdict in verdicts], bool)
            wrong = _risk(~violates, removed, probability, confidence)
            found.append(Risks(wrong, _risk(allowed, violates, probability, confidence)))
        return found[0], found[1]

    def _weigh(self, seen: Recorded, replayed: Replayed) -> None:
        before, after, policy = seen.came, replayed.came, replayed.policy
        for column, outcome in ((0, before), (1, after)):
            counts = self._asked if outcome.verdict == "review" else self._acted
            if outcome.categories:
                counts[column].update(outcome.categories)
        for queue, votes in seen.votes:
            self._queued[0][queue] += 1
            self._votes[0][queue] += votes
        if (name := _queue(seen, replayed)) is not None:
            self._queued[1][name] += 1
            self._votes[1][name] += policy.queues[name].votes
        if self.labels and (label := self.labels.get((seen.key, seen.revision))) is not None:
            self._labelled.append((before.verdict, after.verdict, label))


def _queue(seen: Recorded, replayed: Replayed) -> str | None:
    """Where people would be asked about the item, an audit included."""
    policy: Policy = replayed.policy
    if isinstance(replayed.outcome, Asked):
        return replayed.outcome.queue
    return serving(policy, policy.audit.queue, seen.item) if replayed.came.audited else None


def _risk(part: Flags, of: Flags, probability: Floats, confidence: float) -> Risk:
    labels = int(of.sum())
    return Risk(share(part, of, probability, confidence) if labels >= FEWEST else None, labels)


def _what(before: Came, after: Came) -> str:
    """What differs in outcomes of one kind."""
    names = ("categories", "queue", "meanwhile", "audited")
    return ", ".join(name for name in names if getattr(before, name) != getattr(after, name))


class _Text(msgspec.Struct):
    text: str | None = None


_text = msgspec.json.Decoder(_Text).decode


def _example(seen: Recorded, before: Came, replayed: Replayed) -> Example:
    text = " ".join((_text(seen.item).text or "").split())
    outcome = replayed.outcome
    return Example(
        item=f"{seen.key}@{seen.revision}",
        text=text if len(text) <= SHORT else text[: SHORT - 1] + "…",
        scores={score.category: score.probability for score in seen.scores},
        before=before,
        after=replayed.came,
        rule_before=None if before.verdict == "review" else seen.rule,
        rule_after=None if isinstance(outcome, Asked) else outcome.rule,
    )
