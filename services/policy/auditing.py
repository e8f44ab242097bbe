"""Which automatic decisions people see too: a random share of all, and more of those that an audit plan asks for.

One draw serves both: an item is audited where its draw lies below the largest share that applies to it. So that share
is exactly how likely it was, whatever overlaps, and a larger share adds items without dropping one
(docs/decisions/0073-one-draw-for-all-audits.md).
"""

from collections.abc import Iterable

from services.events.types import Score, Selection
from services.policy.model import AuditRule, AuditStratum


def drawn(scores: Iterable[Score], audit: AuditRule, draw: float) -> Selection | None:
    """Why and how likely an item with these scores is audited; None where its `draw`, in [0, 1), spares it."""
    probability = share(scores, audit)
    if draw >= probability:
        return None
    return Selection(reason="sampled" if draw < audit.share else "planned", probability=probability)


def share(scores: Iterable[Score], audit: AuditRule) -> float:
    """How likely an automatic decision on an item with these scores is audited."""
    if not audit.plan:
        return audit.share
    of = {score.category: score.probability for score in scores}
    return max([audit.share, *(each.share for each in audit.plan if within(of.get(each.category), each))])


def within(score: float | None, stratum: AuditStratum) -> bool:
    """Whether a score is the stratum's: from its lower end to below the upper one, which 1 is part of."""
    return score is not None and stratum.lower <= score and (score < stratum.upper or stratum.upper >= 1)
