"""The router as the loop sees it: the live policy, the alarms that are on, and the core."""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import ClassVar, TypeAlias

import msgspec

from services.events.ids import item_key
from services.events.instants import to_millis
from services.events.topics import Topics
from services.events.types import (
    ContentDecided,
    ContentReported,
    ReviewSettled,
    ShadowDiffered,
    TextDecided,
)
from services.policy.allowances import ShardState
from services.policy.draw import draw
from services.policy.facts import Facts
from services.policy.live import NO_POLICY, LivePolicy
from services.policy.model import Policy
from services.policy.precedents import TOPIC as TEXT_DECIDED
from services.policy.precedents import Precedents
from services.router.core import ItemState, Step, classify, copies, counting, expire, go_on, settle
from services.router.core.counting import Happening, Whose
from services.router.core.items import Classified, Requested
from services.router.core.remoderating import Remoderated, moderate_again
from services.router.core.slow import waiting_version
from services.router.counters import Counters, Placed
from services.router.explaining import Explainer, Question
from services.router.models import LiveModels
from services.router.settings import RouterSettings
from services.router.shadow import TOPIC as POLICY_SHADOWED
from services.router.shadow import Shadow
from services.router.shards import Shards
from services.router.summary import Summary
from services.runtime.keyed import Event, KeyedStage, Transition
from services.runtime.publishing import Publisher
from services.runtime.records import Outgoing, Record
from services.runtime.stage import Effect
from services.runtime.states import States
from services.scoring.live_lists import LiveLists

Kept: TypeAlias = ItemState | ShardState
"""What is on the changelog: items, and under a key of its own what a shard as a whole has done."""


class RouterStage(KeyedStage[Kept]):
    """Wires the core to topics. Policy, alarms and precedents are those of broadcast topics, the newest record wins.

    Items with one text are a group (services.runtime.groups): see services.router.core.copies.
    """

    consumes: ClassVar = {
        "content.classified": Classified,
        "content.reported": ContentReported,
        "content.remoderated": Remoderated,
        "review.settled": ReviewSettled,
    }

    def __init__(
        self,
        settings: RouterSettings,
        topics: Topics,
        counters: Counters | None = None,
        lists: LiveLists | None = None,
    ) -> None:
        publisher = Publisher("router", topics, derived=[ContentDecided, Requested, ShadowDiffered])
        super().__init__(ItemState, publisher)
        self._shard_decoder = msgspec.json.Decoder(ShardState)
        self._shards = Shards(settings.shards)
        self._waking = 0  # the shard of the timer in hand
        self._counters = counters
        self._arrivals: Iterator[Happening | None] = iter(
            ()
        )  # of what is left of the batch in hand, in its order
        self._salt = settings.sampling_salt.encode()
        self._summary = Summary(f"router-{settings.slot}", settings.summary_seconds * 1000, publisher)
        self._models = LiveModels(settings.var)
        self._explainer = Explainer(self._models, settings.explaining_share)
        self._others: dict[
            str, str
        ] = {}  # by the id of a request: the model of scores that its own did not give
        self._lists = lists or LiveLists(settings.var)
        queues, hours = frozenset(topics.queues), topics.topics["review.requested"].retention_hours
        self._policies = LivePolicy(queues, hours, partial(self._lists.lacking, "live"))
        self._shadow = Shadow(
            settings, queues, hours, self._models, partial(self._lists.lacking, "shadow"), publisher
        )
        self._precedents = Precedents(settings.precedents)

    def not_ready(self) -> str:
        """Nothing can be decided without the newest policy, and its lists."""
        self._policies.retry()
        self._follow_counters()
        return self._policies.reason

    def broadcast(self, record: Record) -> None:
        """A policy, an alarm, a model, a text's decision. One that cannot be read changes nothing."""
        if record.base == "model.released":
            self._models.take(record.value)
            self._policies.forget_points()
            self._shadow.forget_points()
        elif record.base == POLICY_SHADOWED:
            self._shadow.take(record.value)
        elif record.base == TEXT_DECIDED:
            self._precedents.take(record.key, record.value, record.timestamp)
        else:
            self._policies.take(record.base, record.key, record.value, f"{record.topic}@{record.offset}")
            self._follow_counters()

    def _follow_counters(self) -> None:
        if self._counters is not None and self._policies.policy is not None:
            self._counters.follow(self._policies.policy.counters)

    def handle(self, batch: Sequence[Record], states: States[Kept], now: int) -> Iterator[Effect]:
        """Decide the batch; what its shards have done by then is one more state of each."""
        touched = {record.partition for record in batch if record.base == "content.classified"}
        self._others = {}
        self._shards.take_up(touched, states, self._live)
        self._shadow.begin(self._live)
        yield from super().handle(batch, states, now)
        self._shards.put_down(states)
        yield from self._shadow.told(now)

    def begin(self, read: Sequence[tuple[Record, msgspec.Struct]]) -> None:
        """Count what of the batch counts."""
        self._arrivals = iter(())
        if self._counters is None or not self._live.counters:
            return
        arrivals = [counting.arrived(event, record.timestamp) for record, event in read]
        placed, names = [], dict[tuple[str, int], str]()
        for (record, _), happening in zip(read, arrivals, strict=True):
            if happening is not None:
                where = record.topic, record.partition
                place = names.get(where) or names.setdefault(where, f"{record.topic}/{record.partition}")
                placed.append(Placed(place, record.offset, happening))
        self._arrivals = iter(arrivals)
        self._counters.begin(placed)

    def _counters_of(self, happening: Happening | None) -> dict[str, int] | None:
        """What counters say as what came is handled."""
        return None if self._counters is None or happening is None else self._counters.arrive(happening)

    def _noted(self, step: Step, item: Classified | None, at: int, whose: Whose | None = None) -> Step:
        """The step, noted for the counters; `at` in ms. `whose` they are, where that is known already."""
        if self._counters is not None and item is not None and self._live.counters:
            for event in step.events:
                if (what := counting.counted_as(event)) is not None:
                    happening = Happening(what, at, whose or counting.whose(item))
                    self._counters.note(event.event_id, happening)  # type: ignore[attr-defined]
        return step

    def decode_state(self, raw: bytes) -> Kept:
        """An item's state or a shard's. Raises msgspec.ValidationError, a ValueError."""
        return (
            self._shard_decoder.decode(raw)
            if raw.startswith(b'{"kind":"shard"')
            else super().decode_state(raw)
        )

    def decide(self, event: msgspec.Struct, record: Record, state: Kept | None, now: int) -> Transition[Kept]:
        """See services.router.core."""
        assert not isinstance(state, ShardState)
        arrival = next(self._arrivals, None)
        if isinstance(event, Classified):
            shard, at = record.partition, record.timestamp
            waited = waiting_version(event, state) if event.tier == "slow" else None
            policy = self._certified(event.model_version, waited)
            facts = self._facts(event, shard, at, self._counters_of(arrival))
            step = self._shards.counted(shard, classify(event, state, policy, facts, now))
            self._noted(step, event, at, arrival.whose if arrival is not None else None)
            self._shadow.look(event, state, step, facts, shard, at, now, record)
        elif isinstance(event, ContentReported):
            self._counters_of(arrival)
            return Transition(state)
        elif isinstance(event, Remoderated):
            return self._transition(self._moderated_again(event, state, record.timestamp, now), None)
        else:
            assert isinstance(event, ReviewSettled)
            step = settle(event, state, self._live, now)
            self._noted(step, state.classified if state else None, record.timestamp)
        accepted = None if event.accepted_at is None else to_millis(event.accepted_at)
        return self._transition(step, accepted)

    def _moderated_again(self, event: Remoderated, state: ItemState | None, at: int, now: int) -> Step:
        """A run of `sluicegate remoderate`: it counts for neither caps nor counters, which are the stream's."""
        facts = Facts(
            alarms=self._policies.alarms,
            draw=draw(self._salt, "audit", item_key(event.source, event.item_id)),
            precedent=self._precedents.of(event.text_hash, at),
            listed=self._lists.of_item(event.item),
        )
        policy = self._certified(event.model_version, event.fast_model_version)
        return moderate_again(event, state, policy, facts, now)

    def wake(self, shard: int, key: bytes, states: States[Kept], now: int) -> Iterator[Effect]:
        """A task expires, slow scores are late, or a marker ends; what is decided then counts for the caps too."""
        self._waking = shard
        self._shards.take_up({shard}, states, self._live)
        self._shadow.begin(self._live)
        yield from super().wake(shard, key, states, now)
        self._shards.put_down(states)
        yield from self._shadow.told(now)

    def due(self, key: str, state: Kept, now: int) -> Transition[Kept]:
        """See `wake`."""
        assert isinstance(state, ItemState)
        item = state.classified
        if state.slow_until is not None and item is not None:
            facts = self._facts(item, self._waking, now)
            step = self._shards.counted(
                self._waking, go_on(state, self._certified(item.model_version), facts, now)
            )
            self._noted(step, item, now)
            self._shadow.look(item, state, step, facts, self._waking, now, now)
            return self._transition(step, None if item.accepted_at is None else to_millis(item.accepted_at))
        return self._transition(self._noted(expire(state, self._live, now), item, now), None)

    def group_of(self, state: Kept) -> str | None:
        """Items of one text are a group."""
        return copies.text_of(state) if isinstance(state, ItemState) else None

    def concerns(self, record: Record) -> str | None:
        """A text's decision concerns the items of the text."""
        return record.key.decode() if record.base == TEXT_DECIDED else None

    def behind(self, state: Kept) -> bool:
        """Whether people decided on the item's text what it does not have."""
        if not isinstance(state, ItemState):
            return False
        precedent = self._precedents.of(copies.text_of(state))
        return precedent is not None and copies.behind(state, precedent)

    def catch_up(self, shard: int, key: bytes, states: States[Kept], now: int) -> Iterator[Effect]:
        """Decide an item as people decided on its text."""
        state = states.get(shard, key)
        if not isinstance(state, ItemState):
            return
        precedent = self._precedents.of(copies.text_of(state), now)
        if precedent is None:
            return
        self._shards.take_up({shard}, states, self._live)
        capped, _ = self._shards.allowed(shard, now)
        step = copies.follow(state, precedent, key.decode(), self._live, capped, now)
        self._noted(self._shards.counted(shard, step), state.classified, now)
        yield from self.stepped(shard, key, states, self._transition(step, None))
        self._shards.put_down(states)

    def key_of(self, event: msgspec.Struct, key: bytes) -> bytes:
        """What was decided on a text is found under the text's hash."""
        return event.text_hash.encode() if isinstance(event, TextDecided) else key

    def committed(self, produced: Sequence[Outgoing]) -> None:
        """Count outcomes."""
        self._summary.count(produced)
        if self._counters is not None:
            self._counters.committed(
                [
                    event.event_id
                    for out in produced
                    if isinstance(event := out.event, (ContentDecided, Requested))
                ]
            )

    def reports(self, now: int) -> Iterable[Outgoing]:
        """Counts of outcomes, every few seconds; and counters that no batch took along. A policy that waited for its
        lists becomes live here, between batches.
        """
        if self._policies.retry():
            self._follow_counters()
        if self._counters is not None:
            self._counters.flush()
        return self._summary.report(now)

    def _facts(
        self, item: Classified, partition: int, at: int, counters: dict[str, int] | None = None
    ) -> Facts:
        """What the decision on an item sees besides it; `at` is when its record was appended, in ms."""
        key = item_key(item.source, item.item_id)
        capped, budget = self._shards.allowed(partition, at)
        return Facts(
            alarms=self._policies.alarms,
            draw=draw(self._salt, "audit", key),
            capped=capped,
            counters=counters,
            precedent=self._precedents.of(item.text_hash, at),
            listed=self._lists.of_item(item.item),
            budget=budget,
            budget_draw=draw(self._salt, "budget", key)
            if budget is not None and budget.probability
            else None,
        )

    @property
    def _live(self) -> Policy:
        assert self._policies.policy is not None, NO_POLICY  # the loop takes no content before
        return self._policies.policy

    def _certified(self, *versions: str | None) -> Policy:
        """The live policy as it holds for the models that scored an item, the one that counts more first."""
        return self._policies.certified(versions, self._models.operating_points)

    def _transition(self, step: Step, accepted: int | None) -> Transition[Kept]:
        if step.state is None:  # most often
            return Transition(None, step.events, step.dropped, accepted)
        item = step.state.classified
        if item is not None and item.fast_model_version is not None:
            for event in step.events:
                if isinstance(event, Requested):
                    self._others[event.event_id] = item.fast_model_version
        return Transition(step.state, step.events, step.dropped, accepted)

    def finish(self, events: Sequence[Event]) -> Sequence[Event]:
        """What people are asked, explained by the models that scored it: all of a batch at once, which is cheaper."""
        asked = {at: event for at, event in enumerate(events) if type(event) is Requested}
        if not asked:
            return events
        questions = [Question(event, self._others.pop(event.event_id, None)) for event in asked.values()]
        explained = dict(zip(asked, self._explainer.explained(questions), strict=True))
        return [explained.get(at, event) for at, event in enumerate(events)]
