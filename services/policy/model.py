"""A policy, parsed. Times are in ms."""

from typing import Literal

import msgspec

from services.policy.rules import Effect, Rule, Rules

Action = Literal["remove", "limit"]


class Risks(msgspec.Struct, frozen=True, kw_only=True):
    """What a policy risks in a category: see services.policy.certify. Shares, and the confidence that both hold."""

    wrong_removals: float
    missed: float
    confidence: float


class CategoryRule(msgspec.Struct, frozen=True, kw_only=True):
    """When a category decides by itself. `remove` None: never; `allow` None: people always look.

    Where `risks` is stated, the thresholds are those certified for the model that scored the item
    (services.policy.certified); the ones written here serve where there are none.
    """

    name: str
    remove: float | None
    allow: float | None
    action: Action
    severity: float
    queue: str
    risks: Risks | None = None
    copies: bool = True  # whether copies inherit what people decided in it, see services.policy.precedents


class QueueRule(msgspec.Struct, frozen=True, kw_only=True):
    """How the people of a queue work."""

    votes: int
    lease_seconds: int
    deadline_ms: int
    expire_ms: int
    skills: tuple[str, ...] = ()  # that people must have, all of them
    languages: tuple[str, ...] = ()  # that they must read: the item's, else one of them
    stands_for: str | None = None  # the queue whose items in these languages come here


class AuditStratum(msgspec.Struct, frozen=True, kw_only=True):
    """Of automatic decisions on items whose score of a category lies in [lower, upper) (1 included), so many."""

    category: str
    lower: float
    upper: float
    share: float


class AuditRule(msgspec.Struct, frozen=True, kw_only=True):
    """Which share of automatic decisions people also see, blind, and whether they may overturn one.

    Where the `plan` says more for an item's scores, that share counts (services.policy.auditing).
    """

    share: float
    queue: str
    supersede: bool
    plan: tuple[AuditStratum, ...] = ()


class HoldRule(msgspec.Struct, frozen=True, kw_only=True):
    """How long an item is held at most while people look at it, and what happens then, until they decide."""

    at_most_ms: int
    then: Literal["allow", "limit", "remove"]


class AlarmRule(msgspec.Struct, frozen=True, kw_only=True):
    """When model and people part by too much. `max_disagreement` is a share of at least `min_count` items."""

    max_disagreement: float
    min_count: int
    window_ms: int


class ListRule(msgspec.Struct, frozen=True, kw_only=True):
    """What is done with an item whose text is on the list. `categories` are why; `queue` None is the policy's own."""

    name: str
    effect: Effect
    categories: tuple[str, ...]
    queue: str | None
    severity: float

    @property
    def reads_scores(self) -> bool:
        """A list rests on no score."""
        return False

    @property
    def words(self) -> str:
        """As decisions say it in `rule`."""
        return f"list {self.name}"


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """What a platform wants. `version` is the name and a hash of the document."""

    name: str
    version: str
    automation: bool
    categories: dict[str, CategoryRule]
    queues: dict[str, QueueRule]
    queue: str  # where no category stands out
    escalation: str
    while_pending: Literal["publish", "hold"]
    fallback: Literal["allow", "remove"]
    audit: AuditRule
    model_against_people: AlarmRule | None
    caps: dict[Literal["allow", "limit", "remove"], int] = {}  # automatic actions a minute; absent: no cap
    copies: bool = True  # whether copies of what people decided are decided alike
    lists: tuple[ListRule, ...] = ()  # tried before the rules
    rules: tuple[Rule, ...] = ()
    hold: HoldRule | None = None  # None: until people decide
    budget: int | None = None  # reviews an hour, over all workers; None: people have time for all
    stand_ins: dict[str, dict[str, str]] = {}  # queue, language, the queue that stands in for it
    tried: Rules | None = None  # the rules, ready; None where there are none
    counters: tuple[
        str, ...
    ] = ()  # that are counted and recorded: those in rules, and those that the policy lists
