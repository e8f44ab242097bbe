"""Who is asking: sessions by cookie or bearer token, logins throttled by name and address."""

import hmac
from urllib.parse import urlsplit

from fastapi import Request
from redis import Redis

from services.review.accounts import Account, Accounts
from services.review.core.answers import Refusal
from services.review.problems import Problem

COOKIE = "sluicegate_session"
SAFE = {"GET", "HEAD", "OPTIONS"}
WINDOW = 60  # s in which failed logins are counted

NO_LOGIN = Refusal(
    401, "not-logged-in", "Not logged in", "POST /v1/login with name and password, or log in again."
)
WRONG = Refusal(401, "wrong-login", "Name or password is wrong", "Try again, or ask an admin for an account.")
FOREIGN = Refusal(
    403,
    "foreign-origin",
    "The request comes from another site",
    "Use the console's own address, or a bearer token.",
)
NOT_ADMIN = Refusal(403, "not-admin", "Only admins may do this", "Ask an admin.")


def session_token(request: Request) -> str | None:
    """The session token of a request; a cookie counts only where another site cannot have sent the request."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and value:
        return value.strip()
    token = request.cookies.get(COOKIE)
    if token and request.method not in SAFE and not same_site(request):
        raise Problem(FOREIGN)
    return token


def same_site(request: Request) -> bool:
    """Whether a browser sent this from our own pages. Clients that are no browsers send neither header."""
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = request.headers.get("origin")
    return origin is None or hmac.compare_digest(urlsplit(origin).netloc, request.headers.get("host", ""))


class Throttle:
    """At most so many failed logins a minute of one name, and more of one address, which many may share."""

    def __init__(self, client: Redis, of_name: int, of_address: int) -> None:
        self._client, self._of_name, self._of_address = client, of_name, of_address

    def check(self, name: str, address: str) -> None:
        """Raises Problem (429) where one of them failed too often."""
        for subject, failures in ((name, self._of_name), (address, self._of_address)):
            count = self._client.get(_key(subject))
            if count is not None and int(str(count, "ascii") if isinstance(count, bytes) else 0) >= failures:
                wait = max(1, int(self._client.ttl(_key(subject))))
                detail = f"Wait {wait} seconds, then try again."
                raise Problem(Refusal(429, "too-many-logins", "Too many failed logins", detail, wait))

    def failed(self, name: str, address: str) -> None:
        """Count a failure."""
        for subject in (name, address):
            pipe = self._client.pipeline()
            pipe.incr(_key(subject))
            pipe.expire(_key(subject), WINDOW)
            pipe.execute()


def _key(subject: str) -> str:
    return f"review:login:{subject}"


class Guard:
    """Lets accounts in."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    def somebody(self, request: Request) -> Account:
        """Whoever is logged in. Raises Problem (401)."""
        token = session_token(request)
        account = self._accounts.of_session(token) if token else None
        if account is None:
            raise Problem(NO_LOGIN)
        return account

    def admin(self, request: Request) -> Account:
        """An admin. Raises Problem (401, 403)."""
        account = self.somebody(request)
        if account.role != "admin":
            raise Problem(NOT_ADMIN)
        return account
