"""Which automatic decisions people see too: a random share of all, and more of those that an audit plan asks for.

One draw serves both: an item is audited where its draw lies below the largest share that applies to it. So that share
is exactly how likely it was, whatever overlaps, and a larger share adds items without dropping one
(docs/decisions/0073-one-draw-for-all-audits.md).
"""

from services.events.types import Score, Selection
from services.policy.model import AuditRule, AuditStratum


def drawn(scores: tuple[Score, ...], audit: AuditRule, draw: float, asked: float = 0.0) -> Selection | None:
    """Why an item with these scores is audited, and how likely people see it; None where its `draw` spares it.

    `draw` is in [0, 1). `asked`: how likely people would have been asked about it instead, by another draw.
    """
    if draw >= share(scores, audit):
        return None
    reason = "sampled" if draw < audit.share else "planned"
    return Selection(reason=reason, probability=seen_likely(scores, audit, asked))


def seen_likely(scores: tuple[Score, ...], audit: AuditRule, asked: float) -> float:
    """How likely people see an item, one way or the other: it is `asked` about so likely, else audited.

    Both ways carry this probability. With that of its own way alone, items that may go either way would count twice.
    """
    return asked + (1 - asked) * share(scores, audit)


def share(scores: tuple[Score, ...], audit: AuditRule) -> float:
    """How likely an automatic decision on an item with these scores is audited."""
    if not audit.plan:
        return audit.share
    of = {score.category: score.probability for score in scores}
    return max([audit.share, *(each.share for each in audit.plan if within(of.get(each.category), each))])


def within(score: float | None, stratum: AuditStratum) -> bool:
    """Whether a score is the stratum's: from its lower end to below the upper one, which 1 is part of."""
    return score is not None and stratum.lower <= score and (score < stratum.upper or stratum.upper >= 1)
