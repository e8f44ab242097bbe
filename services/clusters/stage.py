"""Clusters as the loop sees them: the nearest cluster of each task, over all shards that the worker has.

A worker compares only with what is on its own shards, so one worker takes them all; a second one would take half of
them, and near copies in different halves would have two clusters. Nothing else would be wrong.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import msgspec

from services.clusters.core import METHOD, Cluster, Index, founded, joined, nearest, rows_for, signature_of
from services.clusters.core.clustering import clustered
from services.clusters.core.index import Place
from services.clusters.settings import ClustersSettings
from services.events.codec import decode
from services.events.errors import UndecodableEvent
from services.events.ids import item_key
from services.events.types import ReviewRequested
from services.runtime.publishing import Publisher
from services.runtime.records import Dropped, Outgoing, Record, Rejected
from services.runtime.stage import Effect
from services.runtime.states import Shard, States

HOUR_MS = 3_600_000
FOR_EVER = 2**62


class ClustersStage:
    """Implements services.runtime.stage.Stage. States are clusters, on the shard and under the task of their founder.

    The index is derived from the states and may suggest what an aborted batch had staged: what counts is the state.
    """

    def __init__(self, settings: ClustersSettings, publisher: Publisher) -> None:
        self._threshold = settings.clusters_threshold
        self._most, self._keep_ms = settings.clusters_most, settings.clusters_hours * HOUR_MS
        self._publisher = publisher
        self._index = Index(rows_for(self._threshold))
        self._states: States[Cluster] = States()
        self._indexed: dict[int, Shard[Cluster]] = {}
        self._left: list[Place] = []  # forgotten, once the batch in hand is committed
        self._encoder = msgspec.json.Encoder()
        self._decoder = msgspec.json.Decoder(Cluster)

    def not_ready(self) -> str:
        """Always ready."""
        return ""

    def broadcast(self, record: Record) -> None:
        """No broadcast topic is wired."""

    def handle(self, batch: Sequence[Record], states: States[Cluster], now: int) -> Iterator[Effect]:
        """A cluster for every task that has a text, but for audits: they are blind."""
        self._follow(states)
        for record in batch:
            try:
                request = decode(ReviewRequested, record.value or b"")
            except UndecodableEvent as error:
                yield Rejected(record, "undecodable", str(error))
                continue
            if record.key != (key := item_key(request.source, request.item_id)).encode():
                yield Rejected(record, "wrong_key", f"the key must be {key}, as of all events of an item")
                continue
            if request.purpose == "audit":
                yield Dropped(record, "audit")
            elif (signature := signature_of(request.item.text)) is None:
                yield Dropped(record, "no_text")
            else:
                yield self._clustered(request, signature, record, key, now)
        self._bound(states)

    def _clustered(
        self, request: ReviewRequested, signature: bytes, record: Record, key: str, now: int
    ) -> Outgoing:
        states, until = self._states, now + self._keep_ms
        found = {state.cluster: (place, state) for place, state in self._suggested(signature)}
        best, like = nearest(signature, (state for _, state in found.values()), self._threshold)
        if best is None:
            place, cluster = (
                (record.partition, request.task_id.encode()),
                founded(request, signature, until),
            )
            self._index.add(place, signature)
        else:
            place, cluster = found[best.cluster][0], joined(best, until)
        states.put(*place, cluster)
        return self._publisher.outgoing(clustered(request, cluster, like, now), key, record)

    def _suggested(self, signature: bytes) -> Iterator[tuple[Place, Cluster]]:
        for place in self._index.suggestions(signature):
            if (state := self._states.get(*place)) is not None:
                yield place, state

    def _follow(self, states: States[Cluster]) -> None:
        """Index the shards that came since the last batch, forget those that went."""
        self._states = states
        for number in [n for n, shard in self._indexed.items() if states.shards.get(n) is not shard]:
            self._index.remove_shard(number)
            del self._indexed[number]
        for number, shard in states.shards.items():
            if number not in self._indexed:
                self._indexed[number] = shard
                for key, state in shard.states.items():
                    if state.method == METHOD:
                        self._index.add((number, key), state.signature)

    def _bound(self, states: States[Cluster]) -> None:
        """Forget the clusters that nobody joined for longest, where there are more than may be."""
        staged = {(shard, key): state for shard, key, state in states.staged()}
        held = states.open_keys()
        for (shard, key), state in staged.items():
            held += (state is not None) - (key in states.shards[shard].states)
        if (excess := held - self._most) <= 0:
            return
        old = [
            (shard.states[key].due, number, key)
            for number, shard in states.shards.items()
            for key in shard.due_keys(FOR_EVER, excess + len(staged))
            if (number, key) not in staged
        ]
        for _, number, key in islice(sorted(old), excess):
            states.put(number, key, None)
            self._left.append((number, key))

    def wake(self, shard: int, key: bytes, states: States[Cluster], now: int) -> Iterable[Effect]:
        """Nobody joined for long enough: forget it."""
        self._follow(states)
        states.put(shard, key, None)
        self._left.append((shard, key))
        return ()

    def committed(self, produced: Sequence[Outgoing]) -> None:
        """What was forgotten is suggested no more."""
        for shard, key in self._left:
            if shard not in self._states.shards or key not in self._states.shards[shard].states:
                self._index.remove((shard, key))
        self._left = []

    def reports(self, now: int) -> Iterable[Outgoing]:
        """Nothing to report."""
        return ()

    def encode_state(self, state: Cluster) -> bytes:
        """JSON, the signature in base64."""
        return self._encoder.encode(state)

    def decode_state(self, raw: bytes) -> Cluster:
        """The reverse. Raises msgspec.ValidationError, a ValueError."""
        return self._decoder.decode(raw)
