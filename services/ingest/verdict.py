"""A verdict in line: what the live policy makes of scores, what of it is signed and what the caller is told. Pure."""

from dataclasses import replace

import msgspec

from services.events.ids import item_key
from services.events.instants import from_millis
from services.events.types import InlineVerdict, Listed, Precedent, Score
from services.ingest.core import Submission, Verdict
from services.ingest.live import Serving
from services.policy.draw import draw
from services.policy.facts import Facts
from services.policy.inline import UNSIGNED, signed
from services.policy.model import Policy
from services.policy.route import Asked, Decided, Outcome, circumstances, route


class Secrets(msgspec.Struct, frozen=True):
    """What ingest signs verdicts with, and what the draws of items rest on."""

    inline: bytes
    salt: bytes


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """What a policy looks at (services.policy.route.Scored), as ingest knows it."""

    source: str
    item: msgspec.Raw
    scores: tuple[Score, ...]
    model_version: str | None
    accepted_at: str | None


def judged(
    submission: Submission,
    scores: tuple[Score, ...],
    serving: Serving,
    secrets: Secrets,
    now: int,
    counters: dict[str, int] | None = None,
    capped: frozenset[str] = frozenset(),
    listed: tuple[Listed, ...] = (),
    precedent: Precedent | None = None,
) -> tuple[Outcome, Judged, Facts]:
    """The outcome for an item with these scores, by the item's own draw; `now` in ms stands for the append time."""
    event = submission.event
    item = Judged(
        source=event.source,
        item=msgspec.Raw(msgspec.json.encode(event.item)),
        scores=scores,
        model_version=serving.bundle.model_version,
        accepted_at=from_millis(now),
    )
    key = item_key(event.source, event.item_id)
    drawn = draw(secrets.salt, "audit", key)
    facts = Facts(
        alarms=serving.alarms,
        draw=drawn,
        counters=counters,
        capped=capped,
        listed=listed,
        precedent=precedent,
    )
    return route(item, serving.policy, facts), item, facts


def told(outcome: Outcome, item: Judged, policy: Policy) -> Verdict:
    """What the caller is answered."""
    asked = isinstance(outcome, Asked)
    return Verdict(
        decision="review" if isinstance(outcome, Asked) else outcome.action,
        categories=outcome.categories,
        scores={score.category: score.probability for score in item.scores},
        rule=None if isinstance(outcome, Asked) else outcome.rule,
        reason=outcome.reason if isinstance(outcome, Asked) else None,
        while_pending=policy.while_pending if asked else None,
        model_version=item.model_version or "",
        policy_version=policy.version,
    )


def with_verdict(
    submission: Submission,
    outcome: Decided,
    item: Judged,
    facts: Facts,
    policy: Policy,
    secret: bytes,
    now: int,
) -> Submission:
    """The submission, its event carrying the signed decision; `now` in ms."""
    event = submission.event
    verdict = InlineVerdict(
        action=outcome.action,
        categories=outcome.categories,
        rule=outcome.rule[:200],
        scores=item.scores,
        circumstances=circumstances(item, policy, facts, outcome),
        model_version=item.model_version or "",
        policy_version=policy.version,
        decided_at=from_millis(now),
        signature=UNSIGNED,
    )
    verdict = signed(secret, event.source, event.item_id, event.revision, bytes(item.item), verdict)
    return replace(submission, event=msgspec.structs.replace(event, inline=verdict))
