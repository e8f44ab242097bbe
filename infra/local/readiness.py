"""Is a process ready, and if not, why: asked of its own /readyz."""

from __future__ import annotations

from dataclasses import dataclass

import httpx

LONGEST_REASON = 300


@dataclass(frozen=True)
class Readiness:
    """Whether a process takes work, and its own words when it does not."""

    ready: bool
    reason: str = ""


def readiness(client: httpx.Client, health_url: str) -> Readiness:
    """Asks `health_url`/readyz; a process that does not answer is not ready."""
    try:
        answer = client.get(f"{health_url}/readyz")
    except httpx.HTTPError:
        return Readiness(False, "does not answer yet")
    if answer.status_code == httpx.codes.OK:
        return Readiness(True)
    return Readiness(False, _reason(answer)[:LONGEST_REASON])


def _reason(answer: httpx.Response) -> str:
    try:
        body = answer.json()
    except ValueError:
        return answer.text.strip() or f"answers {answer.status_code}"
    if isinstance(body, dict):
        return str(body.get("detail") or body.get("reason") or body)
    return str(body)
