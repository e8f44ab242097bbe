"""Which items a run is about: SQL, asked of analytics a page at a time, and where each of them stands."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import click
import httpx

from services.cli.query import quoted

PAGE = 10_000  # keys in one answer: analysts get no more
LOOK_UP = 1000  # items looked up at once
PATIENCE = 300  # seconds that analytics may be busy, or a key's quota spent
INSTANT = r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9:.]+Z?)?"

Key = tuple[str, str]


class BadQuestion(click.ClickException):
    """Analytics will not answer this question, whoever asks and whenever."""


class Analytics:
    """Questions to analytics; where it is busy, or the key has asked its quota, they are asked again later."""

    def __init__(
        self, client: httpx.Client, secret: str, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._client, self._sleep = client, sleep
        self._headers = {"Authorization": f"Bearer {secret}"}

    def query(self, sql: str) -> list[dict[str, Any]]:
        """The rows of one SELECT. Raises BadQuestion with what is wrong with it, ClickException else."""
        found = self._ask("/v1/query", {"sql": sql})
        names = [column["name"] for column in found["meta"]]
        return [dict(zip(names, row, strict=True)) for row in found["data"]]

    def standing(self, keys: list[Key]) -> list[dict[str, Any]]:
        """Where items stand, see services.analytics.standings."""
        rows: list[dict[str, Any]] = self._ask("/v1/standing", {"items": keys})["items"]
        return rows

    def _ask(self, path: str, body: dict[str, Any]) -> Any:
        waited = 0.0
        while True:
            try:
                answer = self._client.post(path, json=body, headers=self._headers)
            except httpx.HTTPError as error:
                raise click.ClickException(
                    f"analytics at {self._client.base_url} does not answer: {error}. Is it up, and is"
                    " SLUICEGATE_ANALYTICS_URL right?"
                ) from error
            if answer.status_code in (429, 503) and waited < PATIENCE:
                seconds = float(answer.headers.get("Retry-After", 1))
                self._sleep(seconds)
                waited += max(seconds, 0.1)
                continue
            if answer.status_code in (400, 422):
                raise BadQuestion(_problem(answer))
            if answer.status_code != 200:
                raise click.ClickException(_problem(answer))
            return answer.json()


def chosen_by(
    source: str | None,
    since: str | None,
    until: str | None,
    category: str | None,
    model: str | None,
    action: str | None,
) -> str:
    """The SELECT that filters stand for, over the decisions that stand."""
    conditions = []
    if source is not None:
        conditions.append(f"source = {quoted(source)}")
    if since is not None:
        conditions.append(f"accepted_at >= parseDateTime64BestEffort({quoted(since)}, 3, 'UTC')")
    if until is not None:
        conditions.append(f"accepted_at < parseDateTime64BestEffort({quoted(until)}, 3, 'UTC')")
    if category is not None:
        conditions.append(f"has(categories, {quoted(category)})")
    if model is not None:
        conditions.append(f"model_version = {quoted(model)}")
    if action is not None:
        conditions.append(f"action = {quoted(action)}")
    return "SELECT source, item_id FROM standing" + (
        f" WHERE {' AND '.join(conditions)}" if conditions else ""
    )


class Chosen:
    """The items that a SELECT with the columns `source` and `item_id` names, each once, in their order.

    `given`: somebody wrote the query, and may write it better.
    """

    def __init__(self, analytics: Analytics, query: str, given: bool = True) -> None:
        self._analytics, self._given = analytics, given
        self._query = query.strip().rstrip(";")

    def count(self) -> int:
        """How many there are. Raises ClickException where the query is none."""
        sql = f"SELECT count() AS n FROM (SELECT DISTINCT source, item_id FROM (\n{self._query}\n))"
        try:
            return int(self._analytics.query(sql)[0]["n"])
        except BadQuestion as error:
            if not self._given:
                raise
            raise click.ClickException(
                f"{error.message}\nThe query must be one SELECT with the columns source and item_id"
            ) from error

    def keys(self) -> Iterator[Key]:
        """Page by page, so that a run may be as long as it likes."""
        after = ""
        while True:
            sql = (
                "SELECT DISTINCT toString(source) AS s, toString(item_id) AS i FROM (\n"
                f"{self._query}\n) {after} ORDER BY s, i LIMIT {PAGE}"
            )
            page = [(str(row["s"]), str(row["i"])) for row in self._analytics.query(sql)]
            yield from page
            if len(page) < PAGE:
                return
            after = f"WHERE (toString(source), toString(item_id)) > ({quoted(page[-1][0])}, {quoted(page[-1][1])})"

    def standing(self, limit: int | None = None) -> Iterator[tuple[int, list[dict[str, Any]]]]:
        """How many items were looked up, and where those that are known stand; at most `limit` items in all."""
        keys = islice(self.keys(), limit)
        while looked_up := list(islice(keys, LOOK_UP)):
            yield len(looked_up), self._analytics.standing(looked_up)


def _problem(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["detail"])
    except (ValueError, KeyError):
        return f"analytics answered {answer.status_code}: {answer.text[:500]}"
