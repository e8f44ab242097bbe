"""What today's models and policy make of past items: scored here, so that no worker of the stream has to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any, NamedTuple

import click
import msgspec

from services.classifier.core import scores_of
from services.events.ids import derived_id, item_key
from services.events.instants import from_millis
from services.events.topics import load_topics
from services.events.types import ContentDecided, Item, Stood
from services.policy.draw import draw
from services.policy.facts import Facts
from services.policy.live import LivePolicy
from services.policy.model import Policy
from services.policy.precedents import TOPIC as TEXT_DECIDED
from services.policy.precedents import Precedents
from services.router.core import slow
from services.router.core.items import Classified, Requested
from services.router.core.remoderating import BY_PEOPLE, Remoderated, moderate_again, scored_again
from services.router.models import LiveModels
from services.runtime.records import Record
from services.scoring.bundle import Bundle
from services.scoring.live_lists import LiveLists
from services.scoring.live_model import LiveModel
from services.scoring.text_hash import text_hash

BROADCASTS = ("model.released", "policy.released", "alarm.raised", TEXT_DECIDED)
NO_MODEL = "no model is live: run `sluicegate model release BUNDLE`"
REMEMBERED = 1_000_000  # texts that people decided on, as many as a router remembers


class Verdict(NamedTuple):
    """What an item comes to. `kind` is changed, asked, unchanged, or left; `what` says to what, whom, or why.

    `event` is what the router is told where it is changed or asked; `action` is that of the change.
    """

    row: dict[str, Any]
    kind: str
    what: str
    event: Remoderated | None = None
    action: str | None = None


class Judge:
    """Follows what is live, as a router does, and decides as a router will."""

    def __init__(self, var: Any, salt: str) -> None:
        topics = load_topics()
        self._lists = LiveLists(var)
        self._policies = LivePolicy(
            frozenset(topics.queues),
            topics.topics["review.requested"].retention_hours,
            partial(self._lists.lacking, "live"),
        )
        self._fast, self._slow = LiveModel("fast", var), LiveModel("slow", var)
        self._models = LiveModels(var)
        self._precedents = Precedents(REMEMBERED)
        self._salt = salt.encode()

    def take(self, records: Iterable[Record]) -> None:
        """Records of BROADCASTS, in order."""
        for record in records:
            if record.base == "model.released":
                for model in (self._fast, self._slow, self._models):
                    model.take(record.value)
                self._policies.forget_points()
            elif record.base == TEXT_DECIDED:
                self._precedents.take(record.key, record.value, record.timestamp)
            else:
                self._policies.take(record.base, record.key, record.value)

    def ready(self) -> tuple[Bundle, Policy]:
        """The fast model and the policy. Raises ClickException where one is missing, or the switch is off."""
        if self._fast.bundle is None:
            raise click.ClickException(self._fast.refused or NO_MODEL)
        if (policy := self._policies.policy) is None:
            raise click.ClickException(self._policies.reason)
        if not policy.automation:
            raise click.ClickException(
                f"{policy.version} has the switch off (`automation: false`): machines overturn nothing while it is off"
            )
        return self._fast.bundle, policy

    def judge(self, found: Sequence[dict[str, Any]], run_id: str, now: int) -> list[Verdict]:
        """What items come to, in their order, that stand as `found` says. `now` in ms."""
        bundle, _ = self.ready()
        verdicts: dict[int, Verdict] = {}
        scored: list[int] = []
        for number, row in enumerate(found):
            if (why := _left(row, run_id, self._slow.bundle is not None)) is None:
                scored.append(number)
            else:
                verdicts[number] = Verdict(row, "left", why)
        texts = [found[number]["item"].get("text") or "" for number in scored]
        again: list[int] = []
        for number, scores in zip(
            scored, scores_of(bundle.categories, bundle.classifier.classify(texts)), strict=True
        ):
            event = _event(found[number], run_id, now, bundle, scores)
            verdict = verdicts[number] = self._decided(found[number], event, now)
            if self._slow.bundle is not None and (
                verdict.kind == "asked" or found[number]["slow"] == "scored"
            ):
                again.append(number)
        if self._slow.bundle is not None and again:
            self._judge_slowly(self._slow.bundle, again, verdicts, found, run_id, now, bundle)
        return [verdicts[number] for number in range(len(found))]

    def _judge_slowly(
        self,
        bundle: Bundle,
        numbers: list[int],
        verdicts: dict[int, Verdict],
        found: Sequence[dict[str, Any]],
        run_id: str,
        now: int,
        fast: Bundle,
    ) -> None:
        """What the fast model is unsure of, and what stands by slow scores, gets those of the slow model too."""
        texts = [found[number]["item"].get("text") or "" for number in numbers]
        fasts = scores_of(fast.categories, fast.classifier.classify(texts))
        slows = scores_of(bundle.categories, bundle.classifier.classify(texts))
        for number, of_fast, of_slow in zip(numbers, fasts, slows, strict=True):
            before = _event(found[number], run_id, now, fast, of_fast)
            item = slow.merged(
                scored_again(before), scored_again(_event(found[number], run_id, now, bundle, of_slow))
            )
            verdicts[number] = self._decided(found[number], _with(before, item), now)

    def _decided(self, row: dict[str, Any], event: Remoderated, now: int) -> Verdict:
        """As the router will decide it, if nothing happens to the item before."""
        versions = (event.model_version, event.fast_model_version)
        policy = self._policies.certified(versions, self._models.operating_points)
        facts = Facts(
            alarms=self._policies.alarms,
            draw=draw(self._salt, "audit", item_key(event.source, event.item_id)),
            precedent=self._precedents.of(event.text_hash, now),
            listed=self._lists.of_item(event.item),
        )
        step = moderate_again(event, None, policy, facts, now)
        for made in step.events:
            if isinstance(made, Requested):
                return Verdict(row, "asked", made.queue, event)
            if isinstance(made, ContentDecided):
                return Verdict(row, "changed", f"{row['action']} → {made.action}", event, made.action)
        if step.dropped == "unchanged":
            return Verdict(row, "unchanged", str(row["action"]))
        return Verdict(row, "left", step.dropped or "nothing")


def _left(row: dict[str, Any], run_id: str, slow_live: bool) -> str | None:
    """Why an item is not looked at again, in a word."""
    if row["state"] != "decided":
        return str(row["state"])
    if row["basis"] in BY_PEOPLE:
        return "people_decided"
    if row["run_id"] == run_id:
        return "done_in_this_run"
    return "stands_by_slow_scores" if row["slow"] == "scored" and not slow_live else None


def _event(row: dict[str, Any], run_id: str, now: int, bundle: Bundle, scores: Any) -> Remoderated:
    item = msgspec.convert(row["item"], Item)
    source, item_id, revision = row["source"], row["item_id"], row["revision"]
    return Remoderated(
        event_id=derived_id("content_remoderated", run_id, source, item_id, revision),
        occurred_at=from_millis(now),
        source=source,
        item_id=item_id,
        revision=revision,
        run_id=run_id,
        item=msgspec.Raw(msgspec.json.encode(row["item"])),
        text_hash=text_hash(source, item.kind, item.text, item.media),
        scores=scores,
        model_version=bundle.model_version,
        tier="fast",
        counters=row["counters"],
        accepted_at=from_millis(row["accepted_at"]),
        standing=Stood(
            decision_seq=row["decision_seq"],
            last_seq=row["last_seq"],
            action=row["action"],
            basis=row["basis"],
        ),
    )


def _with(event: Remoderated, item: Classified) -> Remoderated:
    """The event with the scores of an item that both tiers scored."""
    assert item.model_version is not None
    return msgspec.structs.replace(
        event,
        scores=item.scores,
        model_version=item.model_version,
        fast_model_version=item.fast_model_version,
        tier=item.tier,
    )
