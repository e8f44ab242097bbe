"""Where an item stands: what analytics has of it, and what Redis knows that has not arrived there yet."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import httpx

from services.events.ids import item_key
from services.events.instants import from_millis
from services.ingest.memory import Accepted, Memory
from services.runtime.problems import Problem

RETRY_SECONDS = 5


class Standing:
    """Asks analytics, within one source."""

    def __init__(self, analytics: httpx.AsyncClient, memory: Memory) -> None:
        self._analytics = analytics
        self._memory = memory

    async def of(self, source: str, item_id: str) -> dict[str, Any]:
        """The item, its decisions and tasks. Raises Problem 404 where nobody knows it, 503 where nobody can say."""
        lately = await self._memory.accepted(item_key(source, item_id))
        stored, away = await self._stored(source, item_id)
        found = combined(source, item_id, stored, lately)
        if found is not None:
            return found
        if away:
            raise Problem(
                503, "not known now", "analytics does not answer: ask again", retry_after=RETRY_SECONDS
            )
        raise Problem(404, "unknown item", f"source {source!r} has no item {item_id!r}")

    async def latest_revision(self, source: str, item_id: str) -> int:
        """The highest revision known. Raises Problem where it cannot be told: the caller then names it."""
        lately = await self._memory.accepted(item_key(source, item_id))
        stored, away = await self._stored(source, item_id)
        if away:
            detail = "analytics does not answer: name the revision, as in ?revision=2, or ask again"
            raise Problem(503, "not known now", detail, retry_after=RETRY_SECONDS)
        revisions = [each.revision for each in lately] + ([int(stored["revision"])] if stored else [])
        if not revisions:
            detail = f"source {source!r} has no item {item_id!r} yet: name the revision, as in ?revision=1"
            raise Problem(404, "unknown item", detail)
        return max(revisions)

    async def _stored(self, source: str, item_id: str) -> tuple[dict[str, Any] | None, bool]:
        try:
            answer = await self._analytics.get(f"/v1/items/{source}/{quote(item_id, safe='')}")
        except httpx.HTTPError:
            return None, True
        if answer.status_code == 200:
            found: dict[str, Any] = answer.json()
            return found, False
        return None, answer.status_code != 404


def combined(
    source: str, item_id: str, stored: dict[str, Any] | None, lately: Sequence[Accepted]
) -> dict[str, Any] | None:
    """What is stored, unless something later was accepted and is not there yet; None where there is neither. Pure."""
    arrived = {(each["revision"], each["withdrawn"]) for each in stored["revisions"]} if stored else set()
    waiting = [each for each in lately if (each.revision, each.withdrawn) not in arrived]
    if stored is None and not waiting:
        return None
    found = stored or {"source": source, "item_id": item_id, "revisions": [], "decisions": [], "tasks": []}
    received = [
        {
            "revision": each.revision,
            "withdrawn": each.withdrawn,
            "event_id": each.event_id,
            "accepted_at": from_millis(each.received_at),
        }
        for each in waiting
    ]
    found = found | {"revisions": [*found["revisions"], *received]}
    highest = max(waiting, key=lambda each: (each.revision, each.withdrawn), default=None)
    if highest is not None and (stored is None or highest.revision >= stored["revision"]):
        found |= {"revision": highest.revision, "state": "received", "action": None}
    return found
