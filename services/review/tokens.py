"""Lease tokens: queue.epoch.number.seat.signature. Signed, so that a lease can be told after Redis has forgotten it."""

import hashlib
import hmac

from services.review.queue import Lease


class NotLeased(Exception):
    """A token that belongs to no lease of this person on this task."""


def token_of(lease: Lease, secret: bytes) -> str:
    """The token of a lease."""
    return f"{lease.queue}.{lease.epoch}.{lease.number}.{lease.seat}.{_signature(lease, secret)}"


def lease_of(token: str, task_id: str, person: str, secret: bytes) -> Lease:
    """The lease that a token was given for. NotLeased where it was given for another task or person, or is forged."""
    parts = token.split(".")
    if len(parts) != 5 or not all(number.isascii() and number.isdigit() for number in parts[1:4]):
        raise NotLeased
    queue, epoch, number, seat, signature = parts
    lease = Lease(task_id, queue, int(seat), person, int(epoch), int(number))
    if not hmac.compare_digest(signature.encode(), _signature(lease, secret).encode()):
        raise NotLeased
    return lease


def _signature(lease: Lease, secret: bytes) -> str:
    parts = (lease.task_id, lease.person, lease.queue, lease.epoch, lease.number, lease.seat)
    text = "\n".join(str(part) for part in parts)
    return hmac.new(secret, text.encode(), hashlib.blake2b).hexdigest()[:32]
