"""The policy that is live, and making one live: what the commands and the local stack's start-up do."""

from __future__ import annotations

import getpass
import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import click
import msgspec
from confluent_kafka import KafkaException

from services.cli import trials
from services.cli.broadcasts import look, newest
from services.events.fresh import fresh_id
from services.events.instants import from_millis
from services.events.topics import load_topics
from services.events.types import AuditRecorded, ModelReleased, PolicyReleased, PolicyShadowed
from services.policy.errors import InvalidPolicy
from services.policy.model import Policy
from services.policy.parse import content_hash, parse
from services.runtime.acknowledged import AcknowledgedProducer, NotAcknowledged
from services.runtime.clock import now_ms
from services.runtime.errors import RuntimeFault
from services.runtime.publishing import Publisher
from services.runtime.settings import Settings
from services.scoring import operating_points
from services.scoring.live_lists import file_of
from services.scoring.operating_points import OperatingPoint
from services.scoring.text_list import InvalidList, read

KEY = "live"  # of policy.released: one policy is live


def live_policy(settings: Settings) -> PolicyReleased | None:
    """The policy that is live, None where none is. Raises MissingTopic, Stalled, KafkaException."""
    return newest(settings, "policy.released", PolicyReleased).get(KEY.encode())


def check_policy(
    path: Path,
    categories: frozenset[str] | None = None,
    points: Sequence[OperatingPoint] | None = None,
) -> Policy:
    """The policy in a file, `categories` being those that the live model scores and `points` what is certified for it
    (None: not checked).

    Raises InvalidPolicy with every problem, OSError where the file cannot be read.
    """
    return check_text(policy_text(path), categories, points)


def policy_text(path: Path) -> str:
    """What is in a file. Raises ClickException where it is not UTF-8, OSError where it cannot be read."""
    try:
        return path.read_bytes().decode()
    except UnicodeDecodeError as error:
        raise click.ClickException(f"{path}: not UTF-8 at byte {error.start}") from error


def check_text(
    text: str,
    categories: frozenset[str] | None = None,
    points: Sequence[OperatingPoint] | None = None,
) -> Policy:
    """The policy in a document. Raises InvalidPolicy with every problem."""
    topics = load_topics()
    retention = topics.topics["review.requested"].retention_hours
    return parse(text, frozenset(topics.queues), categories, retention, points)


def check_lists(settings: Settings, policy: Policy) -> dict[str, int]:
    """How many texts each list of a policy has here. Raises InvalidList with all that is wrong with the files."""
    found, wrong = dict[str, int](), list[str]()
    for rule in policy.lists:
        try:
            found[rule.name] = len(read(file_of(settings.var, rule.name)).texts)
        except InvalidList as error:
            wrong.append(str(error))
    if wrong:
        raise InvalidList("\n".join(wrong))
    return found


class Live(NamedTuple):
    """What is live: the policy, the models of both tiers, and a trial beside the policy."""

    policy: PolicyReleased | None
    models: tuple[ModelReleased, ...]
    trial: PolicyShadowed | None


def live_now(settings: Settings) -> Live:
    """All of it in one look. Raises MissingTopic, Stalled, KafkaException."""
    topics: dict[str, type[msgspec.Struct]] = {
        "policy.released": PolicyReleased,
        "model.released": ModelReleased,
        trials.TOPIC: PolicyShadowed,
    }
    found = look(settings, topics)
    trial = trials.on(found[trials.TOPIC].get(trials.KEY.encode()))
    return Live(found["policy.released"].get(KEY.encode()), tuple(found["model.released"].values()), trial)


def release_policy(settings: Settings, path: Path, released_by: str, reason: str) -> PolicyReleased:
    """Make the policy in a file live, everywhere, within seconds; one that is live already stays as it is. A trial of
    it beside the live one is over.

    Returns the event. Raises InvalidPolicy where it is none, names a category that the live model does not score, or
    states risks that no audit labels speak for; InvalidList where a list of it cannot be read here;
    MissingTopic, Stalled, KafkaException or NotAcknowledged where Kafka is not as it must be.
    """
    return release_text(settings, policy_text(path), released_by, reason)[0]


def release_text(
    settings: Settings, text: str, released_by: str, reason: str, proven: bool = True
) -> tuple[PolicyReleased, bool]:
    """`release_policy` of a document that is at hand; unless `proven`, risks need no audit labels: people are asked.

    The event, and whether it is a new one. Every second until it is written, items are decided by the policy before.
    """
    producer = AcknowledgedProducer(settings)  # first: it finds the broker while the policy is checked
    try:
        live = live_now(settings)
        points = points_of(settings, live.models) if proven else None
        policy = check_text(text, categories_of(live.models), points)
        check_lists(settings, policy)
        if live.policy is not None and live.policy.policy_version == policy.version:
            return live.policy, False
        released = _released(policy, text, live.policy, released_by, reason)
        audit = AuditRecorded(
            event_id=fresh_id(),
            occurred_at=released.occurred_at,
            actor=released_by,
            actor_kind="cli",
            action="policy.released",
            subject=policy.version,
            detail={"replaces": released.replaces, "reason": reason},
        )
        publisher = Publisher("cli", load_topics())
        events = [publisher.outgoing(released, KEY), publisher.outgoing(audit, audit.actor)]
        if live.trial is not None and live.trial.policy_version == policy.version:
            over, noted = trials.ending(live.trial, policy.version, released_by, "released")
            events += [publisher.outgoing(over, trials.KEY), publisher.outgoing(noted, noted.actor)]
        producer.send_all(events)
        return released, True
    finally:
        producer.close()


def _released(
    policy: Policy, text: str, before: PolicyReleased | None, released_by: str, reason: str
) -> PolicyReleased:
    now = now_ms()
    return PolicyReleased(
        event_id=fresh_id(now),
        occurred_at=from_millis(now),
        policy_version=policy.version,
        content_hash=content_hash(text),
        document=text,
        replaces=before.policy_version if before else None,
        released_by=released_by,
        reason=reason,
    )


def live_categories(settings: Settings) -> frozenset[str] | None:
    """What the live models score; None where no model is live."""
    return categories_of(newest(settings, "model.released", ModelReleased).values())


def categories_of(models: Collection[ModelReleased]) -> frozenset[str] | None:
    """What these models score; None where there are none."""
    return frozenset(name for model in models for name in model.categories) if models else None


def live_points(settings: Settings) -> tuple[OperatingPoint, ...] | None:
    """What is certified for the live models; None where no model is live, or a bundle is not to be had here."""
    return points_of(settings, newest(settings, "model.released", ModelReleased).values())


def points_of(settings: Settings, models: Collection[ModelReleased]) -> tuple[OperatingPoint, ...] | None:
    """The same of these models."""
    points: list[OperatingPoint] = []
    for model in models:
        folder = settings.var / model.bundle
        if "://" in model.bundle or not folder.is_dir():
            return None
        points += operating_points.read(folder, model.content_hash)
    return tuple(points) if models else None


def person() -> str:
    """Who runs the command, as events name people."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = "unknown"
    return f"cli:{re.sub(r'[^!-~]', '_', name)[:90]}"


@contextmanager
def explained(file: Path | None) -> Iterator[None]:
    """Errors of a command about the policy in `file`, as lines for people."""
    try:
        yield
    except InvalidPolicy as error:
        raise click.ClickException("\n".join(f"{file}: {problem}" for problem in error.problems)) from error
    except (InvalidList, RuntimeFault, NotAcknowledged, OSError) as error:
        raise click.ClickException(str(error)) from error
    except KafkaException as error:
        raise click.ClickException(
            f"Kafka did not answer: {error.args[0].str()}. Is it up (`sluicegate up`), and is SLUICEGATE_KAFKA right?"
        ) from error
