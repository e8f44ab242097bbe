"""The manifest against the outcomes: what is lost, what is doubled, what contradicts itself. Pure.

Per (source, item_id, revision) the design allows one of: a final decision numbered 0; one task, with at most one
interim decision, and later its final decision; withdrawn; superseded. The same published again may give the same
automatic decision again, with the same event_id, as often as it was published: readers drop it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from loadtests.manifest import Contents, Key, Times
from loadtests.outcomes import At, Outcomes
from services.events.ids import parse_task_id
from services.events.types import Precedent, ReviewCompleted, ReviewSettled

Class = Literal["lost", "duplicated", "wrong"]


@dataclass(frozen=True)
class Finding:
    """One thing that must not be, and where: an item's revision, a task or a verdict."""

    kind: Class
    what: str
    where: str


@dataclass
class Report:
    """The count. It is clean where `findings` is empty."""

    published: int = 0  # different revisions of posts, acknowledged
    outcomes: Counter[str] = field(default_factory=Counter)  # revisions by what became of them
    verdicts: Counter[str] = field(default_factory=Counter)  # acknowledged ones by what became of them
    labels: int = 0
    findings: list[Finding] = field(default_factory=list)

    def count(self, kind: Class) -> int:
        """How many findings of a kind."""
        return sum(finding.kind == kind for finding in self.findings)


def judge(manifest: Contents, outcomes: Outcomes) -> Report:
    """Everything published and every verdict acknowledged, accounted for. What was sent but never acknowledged may
    have an outcome or none. Only items of the manifest are looked at.
    """
    report = Report()
    items = {(key.source, key.item_id) for key in [*manifest.posts, *manifest.withdrawals]}
    for key, times in manifest.posts.items():
        report.published += times.acknowledged > 0
        outcome = outcome_of(outcomes, key)
        report.outcomes[outcome] += 1
        if times.acknowledged and outcome in _MISSING:
            report.findings.append(Finding("lost", outcome, _name(key)))
    for key, times in manifest.withdrawals.items():
        if times.acknowledged and not _withdrawn(outcomes, key):
            report.findings.append(Finding("lost", "withdrawal without a closing", _name(key)))
    report.findings += _decisions(manifest, outcomes, items)
    report.findings += _tasks(outcomes, items)
    report.findings += _closings(manifest, outcomes, items)
    for found, finding in _verdicts(manifest, outcomes):
        report.verdicts[found] += 1
        report.findings += [finding] if finding else []
    report.labels = sum(_of(task, items) for task in outcomes.labels)
    return report


ENDING = ("withdrawn", "edited")  # closings that are outcomes themselves; with the others goes a decision
_MISSING = ("nothing", "task without an end")


def outcome_of(outcomes: Outcomes, key: Key) -> str:
    """What became of a revision: machine, people, fallback, duplicate, withdrawn, edited …; `nothing` or
    `task without an end` where it has no outcome (yet).
    """
    finals = [at.event for at in outcomes.decisions.get(key, ()) if at.event.final]
    tasks = outcomes.tasks.get(key, set())
    if first := [event for event in finals if event.decision_seq == 0]:
        return "duplicate" if first[0].basis == "duplicate" else "machine"
    if finals:
        basis = max(finals, key=lambda event: event.decision_seq).basis
        return "people" if basis in ("human", "appeal") else basis
    for task in [*sorted(tasks), None]:
        closing = outcomes.closed(key, task)
        if closing is not None and closing.reason in ENDING:
            return closing.reason
    return "task without an end" if tasks else "nothing"


def _withdrawn(outcomes: Outcomes, key: Key) -> bool:
    closings = outcomes.item_closings.get((key.source, key.item_id), ())
    return any(c.reason == "withdrawn" and c.revision >= key.revision for c in closings)


def _decisions(manifest: Contents, outcomes: Outcomes, items: set[tuple[str, str]]) -> Iterator[Finding]:
    for key, decided in outcomes.decisions.items():
        if key[:2] not in items:
            continue
        times = manifest.posts.get(key, Times())
        if not times.sent:
            yield Finding("wrong", "decision on a revision that was never published", _name(key))
        numbered: dict[tuple[int, bool, int], list[At]] = defaultdict(list)
        for at in decided:
            numbered[at.event.decision_seq, at.event.final, at.event.interim].append(at)
        for (number, final, interim), same in numbered.items():
            allowed = times.sent if (number, final, interim) == (0, True, 0) else 1
            if len({at.event.event_id for at in same}) > 1 or len(same) > max(1, allowed):
                yield Finding(
                    "duplicated",
                    f"decision {number} {final=} {interim=}" if interim else f"decision {number} {final=}",
                    _name(key),
                )
        tasks = outcomes.tasks.get(key, set())
        if (0, True, 0) in numbered and tasks:
            yield Finding("duplicated", "decided by machine, and people were asked", _name(key))
        for at in decided:
            if at.event.basis == "human" and at.event.task_id not in outcomes.requests:
                yield Finding("wrong", "decision of people whom nobody asked", _name(key))
            if at.event.basis == "duplicate" and not _by_people(outcomes, at.event.circumstances.precedent):
                yield Finding("wrong", "copy of a decision that people did not make", _name(key))
        interims = sum(not final and not interim for _, final, interim in numbered)
        if interims > max(1, len(tasks)):
            yield Finding("duplicated", "more interim decisions than tasks", _name(key))


def _by_people(outcomes: Outcomes, precedent: Precedent | None) -> bool:
    """Whether people decided what a copy inherited."""
    if precedent is None:
        return False
    made = parse_task_id(precedent.decision)
    return any(
        (at.event.decision_seq, at.event.action, at.event.basis) == (made.number, precedent.action, "human")
        for at in outcomes.decisions.get(Key(*made[:3]), ())
        if at.event.final
    )


def _tasks(outcomes: Outcomes, items: set[tuple[str, str]]) -> Iterator[Finding]:
    for task in sorted(outcomes.named_tasks() - outcomes.requests.keys()):
        if _of(task, items):
            yield Finding("lost", "request of a task that other events name", task)
    for task, requested in outcomes.requests.items():
        if not _of(task, items):
            continue
        key = outcomes.key(task)
        if len(requested) > 1:
            yield Finding("duplicated", "task", task)
        settled = outcomes.settlements.get(task, [])
        labels = outcomes.labels.get(task, [])
        closing = outcomes.closed(key, task)
        decided = [
            at.event
            for at in outcomes.decisions.get(key, ())
            if at.event.final and at.event.task_id == task and at.event.basis == "human"
        ]
        agreed = any(s.agreed for s in settled)
        if len(settled) > 1:
            yield Finding("duplicated", "settlement", task)
        if len(labels) > 1:
            yield Finding("duplicated", "label", task)
        if agreed and not labels:
            yield Finding("lost", "settlement without a label", task)
        if labels and not agreed:
            yield Finding("wrong", "label without a settlement", task)
        if requested[0].purpose == "decision" and agreed and not decided and closing is None:
            yield Finding("lost", "settlement without a decision", task)
        if requested[0].purpose == "decision" and decided and not agreed:
            yield Finding("wrong", "decision of people without a settlement", task)
        if not settled and closing is None:
            yield Finding("lost", f"{requested[0].purpose} task that nobody settled or closed", task)
        if any(s.agreed is False for s in settled) and closing is None and not _followed(outcomes, key, task):
            yield Finding("lost", "disagreement that was not asked again", task)
        inherited = [
            at.event
            for at in outcomes.decisions.get(key, ())
            if at.event.final and at.event.task_id == task and at.event.basis == "duplicate"
        ]
        copied = any(c.reason == "copy_decided" for c in outcomes.task_closings.get(task, ()))
        if copied != bool(inherited):
            what = (
                "closing of a copy without its decision" if copied else "closing of a copy that was decided"
            )
            yield Finding("lost", what, task)
        for closed in outcomes.task_closings.get(task, ()):
            if decided and closed.reason in ENDING:
                yield Finding("wrong", f"decided by people although {closed.reason}", task)


def _followed(outcomes: Outcomes, key: Key, task: str) -> bool:
    """Whether a later task or decision takes up where the task ended without agreement."""
    number = parse_task_id(task).number
    if number == "audit":
        return True
    later = any(parse_task_id(other).number > number for other in outcomes.tasks[key])  # type: ignore[operator]
    return later or any(at.event.final and at.event.decision_seq >= number for at in outcomes.decisions[key])


def _closings(manifest: Contents, outcomes: Outcomes, items: set[tuple[str, str]]) -> Iterator[Finding]:
    for task, closings in outcomes.task_closings.items():
        if _of(task, items) and len(closings) > 1:
            yield Finding("duplicated", "closing of a task", task)
    for item, closings in outcomes.item_closings.items():
        if item not in items:
            continue
        for (revision, reason), number in Counter((c.revision, c.reason) for c in closings).items():
            key = Key(*item, revision)
            allowed = _closings_allowed(manifest, key, reason)
            if not allowed:
                yield Finding("wrong", f"closed as {reason} without cause", _name(key))
            elif number > allowed:
                yield Finding("duplicated", f"closed as {reason}", _name(key))


def _closings_allowed(manifest: Contents, key: Key, reason: str) -> int:
    """How often an item may be closed at a revision: once for each time that its withdrawal was published, and once
    for each time that the revision itself came after what withdrew or replaced it.
    """
    sent = manifest.posts.get(key, Times()).sent
    if reason == "edited":
        return sent if _published_later(manifest.posts, key) else 0
    late = sent if _published_later(manifest.withdrawals, key) else 0
    return manifest.withdrawals.get(key, Times()).sent + late


def _published_later(published: Mapping[Key, Times], key: Key) -> bool:
    return any(other[:2] == key[:2] and other.revision > key.revision for other in published)


def _verdicts(manifest: Contents, outcomes: Outcomes) -> Iterator[tuple[str, Finding | None]]:
    """What became of every verdict that was acknowledged, and what is wrong with that."""
    for verdict_id, told in manifest.verdicts.items():
        recorded = outcomes.verdicts.get(verdict_id, [])
        if not recorded:
            yield "lost", Finding("lost", "verdict not in review.completed", f"{told.task_id} {verdict_id}")
            continue
        if len(recorded) > told.sent:
            yield "doubled", Finding("duplicated", "verdict", f"{told.task_id} {verdict_id}")
        settled = outcomes.settlements.get(told.task_id, [])
        counted = any(vote.verdict_id == verdict_id for s in settled for vote in s.votes)
        taken_back = verdict_id in outcomes.retractions
        if verdict_id in manifest.retracted and not taken_back:
            yield "lost", Finding("lost", "retraction", f"{told.task_id} {verdict_id}")
        elif taken_back and counted:
            yield "wrong", Finding("wrong", "retracted verdict that counted", f"{told.task_id} {verdict_id}")
        elif taken_back:
            yield "retracted", None
        elif counted:
            yield "counted", None
        elif (closing := outcomes.closed(outcomes.key(told.task_id), told.task_id)) is not None:
            yield f"task closed: {closing.reason}", None
        elif any(_taken(s, recorded[0]) for s in settled):
            yield "seat or person had voted", None
        else:
            yield "lost", Finding("lost", "verdict without effect", f"{told.task_id} {verdict_id}")


def _taken(settled: ReviewSettled, verdict: ReviewCompleted) -> bool:
    return any(vote.seat == verdict.seat or vote.reviewer == verdict.reviewer for vote in settled.votes)


def _of(task: str, items: set[tuple[str, str]]) -> bool:
    return parse_task_id(task)[:2] in items


def _name(key: Key) -> str:
    return f"{key.source}/{key.item_id}@{key.revision}"
