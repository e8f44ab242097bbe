"""Requests for near copies, and the stage that clusters them."""

import random
from collections.abc import Iterable
from typing import Any

import msgspec

from services.clusters.core import Cluster
from services.clusters.settings import ClustersSettings
from services.clusters.stage import ClustersStage
from services.events.codec import encode
from services.events.ids import item_key, task_id
from services.events.partition import partition_for
from services.events.topics import load_topics
from services.events.types import Item, ReviewClustered, ReviewRequested
from services.runtime.publishing import Publisher
from services.runtime.records import Outgoing, Record
from services.runtime.stage import Effect
from services.runtime.states import Shard, States
from tests.unit.adjudicator.making import request

NOW = 1_770_000_000_000
SHARDS = 4
SPAM = (
    "Congratulations! You have been selected as today's lucky winner of a free {prize}. To claim your reward reply"
    " with the code {code} or visit {site} before midnight. Terms and conditions apply, adults only."
)
PRIZES = ("holiday", "iPhone", "gift card", "camera")
SITES = ("www.win-now.example", "bit.example/claim", "luckyday.example")


def spam(chance: random.Random) -> str:
    """One of a campaign: prize, code and address differ, as senders vary them."""
    return SPAM.format(prize=chance.choice(PRIZES), code=chance.randrange(10_000), site=chance.choice(SITES))


def unlike(chance: random.Random, words: int = 30) -> str:
    """A text that is like no other."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    return " ".join("".join(chance.sample(letters, chance.randint(3, 9))) for _ in range(words))


def asked(name: str, text: str | None, **changes: Any) -> ReviewRequested:
    """People are asked about an item of this text."""
    fields: dict[str, Any] = {
        "item_id": name,
        "task_id": task_id("demo", name, 1, 1),
        "item": Item(kind="post", text=text),
        "text_hash": None,
    }
    return request(**(fields | changes))


def record(event: msgspec.Struct, offset: int = 0) -> Record:
    """An event as Kafka has it, on the partition of its item."""
    key = item_key(event.source, event.item_id).encode()  # type: ignore[attr-defined]
    where = partition_for(key, SHARDS)
    return Record("review.requested.general", "review.requested", where, offset, key, encode(event), NOW)


class Worker:
    """The stage on shards in memory, as the loop drives it."""

    def __init__(self, **settings: Any) -> None:
        self.settings = ClustersSettings(**settings)
        self.states: States[Cluster] = States()
        for number in range(SHARDS):
            self.states.shards[number] = Shard()
        self.stage = self.new_stage()

    def new_stage(self) -> ClustersStage:
        return ClustersStage(self.settings, Publisher("clusters", load_topics()))

    def restart(self) -> None:
        """Another process: states come back from their changelog, in whatever order, and nothing else does."""
        before, self.states = self.states, States()
        for number, shard in before.shards.items():
            self.states.shards[number] = restored = Shard()
            for key, state in sorted(shard.states.items(), reverse=True):
                restored.apply(key, self.stage.decode_state(self.stage.encode_state(state)))
        self.stage = self.new_stage()

    def effects(self, events: Iterable[ReviewRequested], now: int = NOW) -> list[Effect]:
        """Handle one batch, without its commit."""
        return list(self.stage.handle([record(event) for event in events], self.states, now))

    def commit(self) -> None:
        self.states.apply()
        self.stage.committed(())

    def take(self, *events: ReviewRequested, now: int = NOW) -> list[ReviewClustered]:
        """Handle and commit one batch; what was told."""
        found = self.effects(events, now)
        self.commit()
        told = [effect.event for effect in found if isinstance(effect, Outgoing)]
        assert all(isinstance(event, ReviewClustered) for event in told)
        return told  # type: ignore[return-value]

    def wake(self, now: int) -> None:
        """Fire what is due."""
        for number, shard in self.states.shards.items():
            for key in shard.due_keys(now, 1000):
                list(self.stage.wake(number, key, self.states, now))
        self.commit()

    def kept(self) -> list[Cluster]:
        return [state for shard in self.states.shards.values() for state in shard.states.values()]
