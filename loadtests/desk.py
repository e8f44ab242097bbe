"""One moderator's desk: the review API as a person at the console uses it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from urllib.parse import quote

import httpx


class Refusal(Exception):
    """The API said no: its status and its words."""

    def __init__(self, response: httpx.Response) -> None:
        super().__init__(f"{response.status_code} {response.text[:300]}")
        self.status = response.status_code
        self.retry_after = float(response.headers.get("Retry-After", 0) or 0)


class Desk:
    """A session of one account. Methods raise Refusal, and httpx.TransportError where nobody answers."""

    def __init__(self, url: str, name: str, password: str) -> None:
        self.name = name
        self._password = password
        self._http = httpx.Client(base_url=url, timeout=15)

    def log_in(self) -> None:
        """With name and password, for a bearer token."""
        credentials = {"name": self.name, "password": self._password, "bearer": True}
        self._http.headers["Authorization"] = f"Bearer {self._post('/v1/login', credentials)['token']}"

    def queues(self) -> list[dict[str, Any]]:
        """Every queue and how it stands."""
        response = self._http.get("/v1/queues")
        if not response.is_success:
            raise Refusal(response)
        found: list[dict[str, Any]] = response.json()
        return found

    def claim(self, queue: str, at_hand: Collection[str] = ()) -> dict[str, Any] | None:
        """The next task, None where there is none."""
        return self._post(f"/v1/queues/{queue}/claim", {"at_hand": list(at_hand)}) or None

    def decide(self, task: dict[str, Any], action: str, categories: Collection[str]) -> dict[str, Any]:
        """The verdict as it was recorded."""
        body = {
            "token": task["token"],
            "action": action,
            "categories": sorted(categories),
            "seconds_spent": 1.5,
        }
        return self._post(f"/v1/tasks/{quote(task['task_id'])}/verdict", body)

    def release(self, task: dict[str, Any]) -> None:
        """Give the task back."""
        self._post(f"/v1/tasks/{quote(task['task_id'])}/release", {"token": task["token"]})

    def undo(self, verdict_id: str) -> dict[str, Any] | None:
        """Take a verdict back; the task again, where it is at hand."""
        return self._post(f"/v1/verdicts/{verdict_id}/undo", None) or None

    def close(self) -> None:
        """Leave."""
        self._http.close()

    def _post(self, path: str, body: Any) -> dict[str, Any]:
        response = self._http.post(path, json=body) if body is not None else self._http.post(path)
        if not response.is_success:
            raise Refusal(response)
        found: dict[str, Any] | None = response.json() if response.content else None
        return found or {}
