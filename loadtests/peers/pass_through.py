"""`python -m loadtests.peers.pass_through`: the least that a stage of our runtime can do, in the loop as it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from services.runtime.records import Outgoing, Record
from services.runtime.settings import LoopSettings
from services.runtime.stage import Effect, Stateless, Wiring
from services.runtime.states import States
from services.runtime.worker import run_worker


class PassThroughSettings(LoopSettings):
    """As every service's, and which topics."""

    through_group: str
    through_from: str
    through_to: str


class PassThrough:
    """Implements services.runtime.stage.Stage: decodes a record, changes a field, encodes it, passes it on."""

    def __init__(self, to: str) -> None:
        self._to = to
        self._decode = msgspec.json.Decoder().decode
        self._encode = msgspec.json.Encoder().encode

    def not_ready(self) -> str:
        """Always ready."""
        return ""

    def broadcast(self, record: Record) -> None:
        """There are none."""

    def handle(self, batch: Sequence[Record], states: States[Stateless], now: int) -> Iterator[Effect]:
        """One record after the other."""
        decode, encode, to = self._decode, self._encode, self._to
        for record in batch:
            value = decode(record.value or b"")
            value["revision"] += 1
            yield Outgoing(to, to, record.key, encode(value))

    def wake(self, shard: int, key: bytes, states: States[Stateless], now: int) -> Iterable[Effect]:
        """No state, no timers."""
        return ()

    def committed(self, produced: Sequence[Outgoing]) -> None:
        """Nothing is counted."""

    def reports(self, now: int) -> Iterable[Outgoing]:
        """Nothing is reported."""
        return ()

    def encode_state(self, state: Stateless) -> bytes:
        """There is none."""
        return b""

    def decode_state(self, raw: bytes) -> Stateless:
        """There is none."""
        return Stateless()


def main() -> None:
    """Run until SIGTERM."""
    settings = PassThroughSettings()
    wiring: Wiring[Stateless] = Wiring(
        service=settings.through_group,
        stage=PassThrough(settings.through_to),
        consumes=(settings.through_from,),
        broadcasts=(),
        produces=(settings.through_to,),
    )
    run_worker(wiring, settings)


if __name__ == "__main__":
    main()
