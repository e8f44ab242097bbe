"""The exact count behind an alarm, asked of analytics, which has every event of Kafka once."""

import httpx
import msgspec
import structlog

from services.events.instants import from_millis
from services.monitor.core.alarming import Count, Subject
from services.monitor.core.observing import MODEL_SAYS_YES

PATH = "/v1/recount/model-against-people"
log = structlog.get_logger()


class _Answer(msgspec.Struct):
    count: int
    disagreements: int


class Recount:
    """Asks analytics over HTTP."""

    def __init__(self, url: str, timeout_seconds: float) -> None:
        self._client = httpx.AsyncClient(base_url=url, timeout=timeout_seconds)

    async def count(self, subject: Subject, start: int, end: int) -> Count | None:
        """What was settled from `start` to before `end` (ms); None where analytics does not answer with a count."""
        asked: dict[str, str | float] = {
            "category": subject.category,
            "model_version": subject.model_version,
            "from": from_millis(start),
            "to": from_millis(end),
            "threshold": MODEL_SAYS_YES,
        }
        try:
            response = await self._client.get(PATH, params=asked)
            response.raise_for_status()
            answer = msgspec.json.decode(response.content, type=_Answer)
        except (httpx.HTTPError, msgspec.MsgspecError) as error:
            log.warning("no recount", subject=subject.key, error=f"{type(error).__name__}: {error}")
            return None
        return Count(answer.count, answer.disagreements)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()
