"""What a decision sees besides the item, its state and the policy: all that is not in the event itself."""

from typing import TypeAlias

import msgspec

from services.events.types import Listed, Precedent

Alarms: TypeAlias = frozenset[tuple[str | None, str | None]]
"""(category, model version) of alarms that are on; None stands for all."""


class Budget(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Whom people have time for: from `margin` on for all, from `threshold` on for a share of `probability`.

    Values as services.policy.budget has them; both None: for nobody.
    """

    threshold: float | None
    margin: float | None
    probability: float


class Facts(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Gathered by who does I/O, passed to `route`; recorded with the outcome, so that it can be decided again.

    Draws are in [0, 1), the item's own for a purpose, see services.policy.draw.
    """

    alarms: Alarms = frozenset()
    draw: float  # for the random audit
    budget: Budget | None = None  # None: there is time for all
    budget_draw: float | None = None  # drawn where a share of the items at the margin is asked about
    counters: dict[str, int] | None = None  # as in author.items_10m; None: not to be had, as without Redis
    precedent: Precedent | None = None  # what people decided on a copy of it
    listed: tuple[Listed, ...] = ()  # lists that have its text
    capped: frozenset[str] = frozenset()  # actions of which there were enough this minute
