"""An API process that is killed when Kafka has acknowledged a verdict, before Redis hears of it."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable

from redis import Redis

from services.events.topics import load_topics
from services.review.accounts import open_accounts
from services.review.queue import Queues
from services.review.settings import ApiSettings
from services.review.tokens import lease_of
from services.review.verdicts import Opinion, Verdicts
from services.runtime.acknowledged import AcknowledgedProducer
from services.runtime.publishing import Publisher
from services.runtime.records import Outgoing


class Dying(AcknowledgedProducer):
    """Sends, waits for Kafka, and dies."""

    def send_all(self, outs: Iterable[Outgoing], timeout: float = 10) -> None:
        super().send_all(outs, timeout)
        os.kill(os.getpid(), signal.SIGKILL)


settings = ApiSettings()
secret = open_accounts(settings).secret("leases")
token, person = os.environ["SLUICEGATE_TOKEN"], os.environ["SLUICEGATE_PERSON"]
lease = lease_of(token, os.environ["SLUICEGATE_TASK"], person, secret)
verdicts = Verdicts(
    settings, Queues(Redis.from_url(settings.redis_url)), Dying(settings), Publisher("review", load_topics())
)
verdicts.record(lease, token, Opinion("remove", ("spam",)))
