"""A history that the router writes in memory: everything that an outcome can rest on.

Hours in which caps are reached, an alarm is on, the switch is thrown, policies are released, taken back, and spend a
review budget; copies of what people decided, and people who change their mind; the slow tier, in time and late;
verdicts in line, audits, holds, counters. Backtests are tested and measured on it.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import redis
import yaml

from infra.local.bootstrap import STARTER
from services.events.codec import DerivedEncoder, encode
from services.events.ids import parse_task_id
from services.events.instants import from_millis, to_millis
from services.events.topics import load_topics
from services.events.types import (
    AlarmRaised,
    Author,
    Circumstances,
    ContentClassified,
    InlineVerdict,
    Item,
    PolicyReleased,
    ReviewSettled,
    Score,
    Selection,
    Vote,
)
from services.ingest.verdict import Judged
from services.policy.draw import draw
from services.policy.facts import Facts
from services.policy.parse import content_hash, parse, policy_version
from services.policy.route import Decided, circumstances, route
from services.router.core.counting import PLACES, Tally
from services.router.core.items import Requested
from services.router.counters import Counters, Placed
from services.router.settings import RouterSettings
from services.router.stage import Kept, RouterStage
from services.runtime.groups import Behind
from services.runtime.records import Outgoing, Record
from services.runtime.settings import DEFAULT_SALT
from services.runtime.states import Shard, States

START = to_millis("2026-03-02T08:00:00.000Z")
BATCH, STEP_MS = 500, 30_000  # items handled at a time, and how long after the last
COPIES = 10**9  # hashes of texts that come again and again begin here
MODEL, SLOW = "starter-0123abcd", "tiny-0123abcd"
CATEGORIES = ("toxicity", "hate", "spam")
TOPICS = load_topics()
SALT = DEFAULT_SALT.encode()
RULES = [
    {"name": "desk", "when": "author.id == 'u1'", "then": "allow"},
    {"name": "crowd", "when": "counters.author.items_1h > 40 && item.links > 0", "then": "review"},
    {"name": "flood", "when": "counters.text.items_1h > 60", "then": "limit"},
    {"name": "sure", "when": "scores.spam > 0.99 && author.age_days < 100.0", "then": "remove"},
]
PHASES: tuple[tuple[float, dict[str, Any]], ...] = (  # share of the history, what is released there
    (0.0, {}),
    (0.30, {"automation": False}),
    (0.36, {}),
    (
        0.50,
        {"budget": {"reviews_per_hour": 2400}, "caps": {"remove": 90, "allow": 900}, "fallback": "remove"},
    ),
    (0.70, {"caps": {}, "while_pending": "hold", "hold": {"at_most_minutes": 5, "then": "allow"}}),
    (0.85, {"budget": {"reviews_per_hour": 1200}}),
)
ALARMED = (0.12, 0.18)  # while an alarm is on


def document(**changes: Any) -> str:
    """The starter policy with rules, caps and more audits, and with changes."""
    starter = yaml.safe_load((STARTER / "policy.yaml").read_text("utf-8"))
    audit = {"share": 0.05, "queue": "audit", "supersede": True}
    return yaml.safe_dump({**starter, "rules": RULES, "caps": {"remove": 100}, "audit": audit, **changes})


@dataclass
class Recordings:
    """What the topics hold of one shard: values with append times (ms), in their order."""

    published: list[tuple[int, bytes]] = field(default_factory=list)
    asked: list[bytes] = field(default_factory=list)
    decided: list[bytes] = field(default_factory=list)


class History:
    """`shards` of recordings of `items` items, and the documents of the policies, by version."""

    def __init__(
        self,
        items: int,
        shards: int = 4,
        seed: int = 1,
        phases: Sequence[tuple[float, dict[str, Any]]] = PHASES,
    ) -> None:
        self.shards = [Recordings() for _ in range(shards)]
        self.documents: dict[str, str] = {}
        self._chance = random.Random(seed)
        self._stage = RouterStage(
            RouterSettings(shards=shards, sampling_salt=DEFAULT_SALT), TOPICS, _Counted()
        )
        self._states: States[Kept] = States()
        for number in range(shards):
            self._states.shards[number] = Shard(self._stage.group_of)
        self._behind = Behind(self._stage, self._states)
        self._number, self._offset = 0, 0
        self._encode = DerivedEncoder().encode
        self._slow: list[ContentClassified] = []
        self._open: list[Requested] = []
        self._live(items, list(phases))

    def _live(self, items: int, phases: list[tuple[float, dict[str, Any]]]) -> None:
        now, alarms = START, list(ALARMED)
        while self._number < items:
            passed = self._number / items
            while phases and phases[0][0] <= passed:
                self._release(document(**phases.pop(0)[1]))
            if alarms and alarms[0] <= passed:
                self._alarm(len(alarms) == 2, now)
                alarms.pop(0)
            self._wake(now)
            batch = [self._published(each, now) for each in self._slow]
            self._slow = []
            batch += [self._published(self._item(now), now) for _ in range(min(BATCH, items - self._number))]
            self._written(self._stage.handle(batch, self._states, now + 15), now + 15)
            settled = [self._settled(task, now) for task in self._some_open()]
            self._written(self._stage.handle(settled, self._states, now + 400), now + 400)
            places = self._behind.first(1000)
            for place in places:
                self._written(self._behind.catch_up(place, now + 500), now + 500)
            self._behind.done(places)
            now += STEP_MS + self._chance.randrange(-2000, 2000)

    def _wake(self, now: int) -> None:
        for number, shard in self._states.shards.items():
            while keys := shard.due_keys(now, 1000):
                for key in keys:
                    due = shard.states[key].due
                    assert due is not None
                    self._written(self._stage.wake(number, key, self._states, due), due)

    def _written(self, effects: Iterator[Any], at: int) -> None:
        """Commit."""
        made = [effect for effect in effects if isinstance(effect, Outgoing)]
        self._states.apply()
        self._stage.committed(made)
        heard: list[Record] = []
        for out in made:
            assert out.value is not None
            if out.base == "text.decided":
                heard.append(Record(out.base, out.base, 0, len(heard), out.key, out.value, at))
                continue
            to = self.shards[_shard(out.key.decode().partition("/")[2], len(self.shards))]
            if out.base == "content.decided":
                to.decided.append(out.value)
            elif out.base == "review.requested":
                to.asked.append(out.value)
                assert isinstance(out.event, Requested)
                copied = int(out.event.text_hash or "0", 16) >= COPIES
                if self._chance.random() < (0.3 if copied else 0.01):
                    self._open.append(out.event)
        for record in heard:
            self._stage.broadcast(record)
            self._behind.heard(record)

    def _some_open(self) -> Iterator[Requested]:
        for _ in range(min(len(self._open), 5)):
            yield self._open.pop(self._chance.randrange(len(self._open)))

    def _published(self, item: ContentClassified, now: int) -> Record:
        self._offset += 1
        number = _shard(item.item_id, len(self.shards))
        value, key = self._encode(item), f"demo/{item.item_id}".encode()
        self.shards[number].published.append((now, value))
        return Record("content.classified", "content.classified", number, self._offset, key, value, now)

    def _item(self, now: int) -> ContentClassified:
        chance, number = self._chance, self._number
        self._number += 1
        copy = chance.randrange(200) if chance.random() < 0.08 else None
        link = " https://example.org" if chance.random() < 0.2 else ""
        skew = 2 if chance.random() < 0.3 else 12  # most items are harmless
        scores = tuple(Score(category=name, probability=chance.random() ** skew) for name in CATEGORIES)
        item = ContentClassified(
            event_id=f"{number:032x}",
            occurred_at=from_millis(now),
            source="demo",
            item_id=f"post-{number}",
            revision=1,
            item=Item(
                kind="post",
                text="word " * chance.randrange(3, 30) + (str(number) if copy is None else str(copy)) + link,
                language="en",
                reach=chance.randrange(1000),
                author=Author(id=f"u{chance.randrange(400)}", created_at="2026-01-05T00:00:00.000Z"),
            ),
            text_hash=f"{number if copy is None else COPIES + copy:032x}",
            scores=scores,
            model_version=MODEL,
            tier="fast",
            accepted_at=from_millis(now - 5),
        )
        kind = chance.random()
        if kind < 0.03:
            return msgspec.structs.replace(item, inline=self._verdict(item, now))
        if kind < 0.07:
            item = msgspec.structs.replace(item, slow_until=from_millis(now + 20_000))
            if chance.random() < 0.5:  # the others are late
                item = msgspec.structs.replace(item, slow_until=from_millis(now + 3 * STEP_MS))
                slowly = (Score(category="toxicity", probability=chance.random() ** 3),)
                changes: Any = {"tier": "slow", "scores": slowly, "model_version": SLOW, "slow_until": None}
                self._slow.append(msgspec.structs.replace(item, **changes))
        return item

    def _verdict(self, item: ContentClassified, now: int) -> InlineVerdict | None:
        """As ingest gives one: what the live policy makes of it, where it is automatic."""
        policy = self._stage._live
        raw = msgspec.Raw(msgspec.json.encode(item.item))
        judged = Judged(
            source="demo", item=raw, scores=item.scores, model_version=MODEL, accepted_at=from_millis(now)
        )
        counters = dict.fromkeys(policy.counters, 1)
        alarms = self._stage._policies.alarms
        facts = Facts(alarms=alarms, draw=draw(SALT, "audit", f"demo/{item.item_id}"), counters=counters)
        outcome = route(judged, policy, facts)
        if not isinstance(outcome, Decided):
            return None
        seen: Circumstances = circumstances(judged, policy, facts, outcome)
        return InlineVerdict(
            action=outcome.action,
            categories=outcome.categories,
            rule=outcome.rule[:200],
            scores=item.scores,
            circumstances=seen,
            model_version=MODEL,
            policy_version=policy.version,
            decided_at=from_millis(now),
            signature="0" * 64,
        )

    def _settled(self, task: Requested, now: int) -> Record:
        made, chance = parse_task_id(task.task_id), self._chance
        action: Any = chance.choice(["allow", "remove"])
        settled = ReviewSettled(
            event_id=f"{self._offset:032x}",
            occurred_at=from_millis(now),
            task_id=task.task_id,
            source=made.source,
            item_id=made.item_id,
            revision=made.revision,
            decision_seq=task.decision_seq,
            purpose=task.purpose,
            queue=task.queue,
            agreed=True,
            reason="agreed",
            action=action,
            categories=("toxicity",) if action == "remove" else (),
            agreement=1.0,
            votes=(Vote(verdict_id="2" * 32, reviewer="ada", seat=0, action=action),),
            selection=Selection(reason="uncertain", probability=1.0),
            requested_at=from_millis(now),
        )
        self._offset += 1
        number = _shard(made.item_id, len(self.shards))
        key = f"demo/{made.item_id}".encode()
        return Record("review.settled", "review.settled", number, self._offset, key, encode(settled), now)

    def _release(self, text: str) -> None:
        version = policy_version(parse(text, frozenset(TOPICS.queues)).name, text)
        self.documents[version] = text
        event = PolicyReleased(
            event_id="3" * 32,
            occurred_at=from_millis(START),
            policy_version=version,
            content_hash=content_hash(text),
            document=text,
            released_by="cli:history",
            reason="a history",
        )
        self._stage.broadcast(
            Record("policy.released", "policy.released", 0, 0, b"live", encode(event), START)
        )

    def _alarm(self, active: bool, now: int) -> None:
        event = AlarmRaised(
            event_id="4" * 32,
            occurred_at=from_millis(now),
            alarm="model_against_people",
            active=active,
            category="toxicity",
            model_version=MODEL,
            value=0.5,
            limit=0.3,
            count=50,
            window_start=from_millis(now),
            window_end=from_millis(now),
            reason="people differ",
        )
        key = f"model_against_people/toxicity/{MODEL}".encode()
        self._stage.broadcast(Record("alarm.raised", "alarm.raised", 0, 0, key, encode(event), now))


class _Counted(Counters):
    """Counters as Redis keeps them, in memory."""

    def __init__(self) -> None:
        super().__init__(redis.Redis())
        self._all: Tally | None = None

    def _exchange(self, placed: Sequence[Placed], pending: Tally) -> dict[tuple[str, int], dict[str, int]]:
        if self._all is None:
            self._all = Tally(self._followed)
        found: dict[tuple[str, int], dict[str, int]] = {}
        for each in placed:
            for counter in self._followed:
                if (subject := each.happening.whose[PLACES[counter.subject]]) is not None:
                    bucket = counter.window.bucket(each.happening.at)
                    found.setdefault((counter.name, bucket), {}).setdefault(
                        subject, self._all.within(counter, bucket, subject)
                    )
        for each in placed:
            self._all.add(each.happening)
        return found


def _shard(item_id: str, shards: int) -> int:
    return int(item_id.rpartition("-")[2]) % shards
