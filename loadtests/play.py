"""Playing posts, edits and withdrawals in as a platform would, with the manifest written before and after."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from loadtests.manifest import Acknowledged, Key, Kind, Manifest, Refused
from services.cli.sending import AGAIN, Sender
from services.events.types import ContentSubmitted, Item

Via = Literal["http", "kafka"]
PATIENCE = 90  # seconds that ingest or Kafka may be away
PAUSE = 0.25  # seconds before something is sent again


@dataclass(frozen=True)
class Play:
    """One thing to publish: a post, an edit (a higher revision) or a withdrawal, and by which way."""

    item_id: str
    text: str = ""
    labels: frozenset[str] = frozenset()
    revision: int = 1
    kind: Kind = "post"
    part: str = ""
    via: Via = "http"

    def event(self, source: str) -> ContentSubmitted:
        """As it is published."""
        item = None if self.kind == "withdrawal" else Item(kind="post", text=self.text)
        withdrawn = self.kind == "withdrawal"
        return ContentSubmitted(
            source=source, item_id=self.item_id, revision=self.revision, withdrawn=withdrawn, item=item
        )


class Player:
    """Publishes for one source."""

    def __init__(
        self,
        source: str,
        manifest: Manifest,
        senders: dict[Via, Sender],
        texts: dict[str, frozenset[str]] | None = None,
    ) -> None:
        """`texts` is what was sent so far, where several players share it."""
        self.source = source
        self.published = 0  # acknowledged, repeats included
        self._manifest = manifest
        self._senders = senders
        self._texts = {} if texts is None else texts

    def known(self, text: str) -> frozenset[str] | None:
        """The categories of a text that was sent."""
        return self._texts.get(text)

    def play(self, plays: Sequence[Play], rate: float | None = None, batch: int = 50) -> None:
        """Publishes in order, `batch` at a time and `rate` a second at the most; those of a batch that go another
        way than the one before go after it. Raises NotTaken where something was not acknowledged.
        """
        started = time.monotonic()
        for at in range(0, len(plays), batch):
            if rate is not None and (early := started + at / rate - time.monotonic()) > 0:
                time.sleep(early)
            chosen = plays[at : at + batch]
            for via in dict.fromkeys(play.via for play in chosen):
                self._send([play for play in chosen if play.via == via], via)

    def _send(self, plays: Sequence[Play], via: Via) -> None:
        """Until each is acknowledged. What was not is sent again, and written down again before: the first may have
        arrived all the same.
        """
        deadline = time.monotonic() + PATIENCE
        waiting = list(plays)
        while waiting:
            numbers = [self._announce(play, via) for play in waiting]
            answers = self._senders[via].send([play.event(self.source) for play in waiting])
            again = []
            for number, play, answer in zip(numbers, waiting, answers, strict=True):
                what = f"{play.item_id}@{play.revision} over {via}: {answer.status} {answer.detail}"
                if answer.status == 202:
                    self._manifest.note(Acknowledged(number))
                    self.published += 1
                elif answer.status not in AGAIN:
                    self._manifest.note(Refused(number))
                    raise NotTaken(f"refused: {what}")
                elif time.monotonic() > deadline:
                    raise NotTaken(f"not acknowledged in {PATIENCE} s: {what}")
                else:
                    again.append(play)
            waiting = again
            if waiting:
                time.sleep(PAUSE)

    def _announce(self, play: Play, via: Via) -> int:
        if play.kind != "withdrawal":
            self._texts[play.text] = play.labels
        key = Key(self.source, play.item_id, play.revision)
        return self._manifest.publish(key, play.kind, play.labels, play.part, via)


class NotTaken(Exception):
    """Something that should have been acknowledged was not."""
