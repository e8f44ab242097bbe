"""Who calls: the key that came with a request."""

import asyncio

from services.runtime.apikeys import ApiKey, KeyCache, bearer
from services.runtime.problems import Problem


class Authority:
    """Knows the keys of sources."""

    def __init__(self, keys: KeyCache) -> None:
        self._keys = keys
        self._refreshing: asyncio.Future[None] | None = None

    async def of(self, authorization: str | None, given: str = "") -> tuple[ApiKey, str]:
        """The key and the source it writes for; `given` is a secret that came otherwise. Raises Problem 401."""
        secret = given or bearer(authorization)
        key = None
        if secret and (key := self._keys.fresh(secret)) is None:
            key = await asyncio.to_thread(self._keys.find, secret)
        elif self._keys.ageing() and (self._refreshing is None or self._refreshing.done()):
            self._refreshing = asyncio.get_running_loop().run_in_executor(None, self._keys.refresh)
        if key is None or key.source is None:
            detail = "send `Authorization: Bearer sk_…` with a key of `sluicegate keys create --source NAME`"
            raise Problem(401, "no valid key", detail, headers={"WWW-Authenticate": "Bearer"})
        return key, key.source
