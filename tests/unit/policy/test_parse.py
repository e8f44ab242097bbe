"""A policy is parsed, or refused with line and column and what to do."""

from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from services.policy.errors import InvalidPolicy
from services.policy.model import Risks
from services.policy.parse import parse
from tests.unit.policy.making import DOCUMENT, QUEUES, policy

VALID = """\
name: trial
automation: true
categories:
  toxicity: {remove: 0.9, allow: 0.3, severity: 2}
  hate:
    remove: 0.8
    severity: 3
    queue: expert
queues:
  general: {votes: 2, lease_seconds: 300, deadline_minutes: 60, expire_hours: 100}
  expert: {votes: 1, lease_seconds: 600, deadline_minutes: 120, expire_hours: 90}
queue: general
escalation: expert
while_pending: publish
fallback: allow
audit: {share: 0.1, queue: expert, supersede: true}
alarms:
  model_against_people: {max_disagreement: 0.3, min_count: 30, window_minutes: 60}
"""


def problems(text: str, categories: frozenset[str] | None = None) -> list[tuple[int, int, str]]:
    with pytest.raises(InvalidPolicy) as refused:
        parse(text, QUEUES, categories)
    return [tuple(problem) for problem in refused.value.problems]  # type: ignore[misc]


def test_a_policy_is_what_its_yaml_says() -> None:
    policy = parse(VALID, QUEUES)
    assert policy.categories["toxicity"].remove == 0.9
    assert policy.categories["toxicity"].queue == "general", "it names none: the policy's own"
    assert policy.categories["hate"].queue == "expert"
    assert policy.categories["hate"].allow is None
    assert policy.queues["general"].expire_ms == 100 * 3_600_000
    assert policy.model_against_people is not None
    assert policy.model_against_people.window_ms == 3_600_000


def test_the_version_is_the_name_and_a_hash_of_the_document() -> None:
    version = parse(VALID, QUEUES).version
    assert version.startswith("trial-") and len(version) == len("trial-") + 8
    assert parse(VALID + "# a comment\n", QUEUES).version != version
    assert parse(VALID, QUEUES).version == version


def test_the_starter_policy_is_one() -> None:
    text = Path("infra/starter/policy.yaml").read_text("utf-8")
    policy = parse(text, QUEUES, frozenset({"toxicity", "hate", "spam"}))
    assert policy.automation and set(policy.categories) == {"toxicity", "hate", "spam"}


@pytest.mark.parametrize(
    ("old", "new", "line", "column", "says"),
    [
        (
            "  toxicity: {",
            "  toxicty: {",
            4,
            3,
            "unknown category `toxicty`: the live model scores hate, toxicity",
        ),
        ("    queue: expert", "    queue: exprt", 8, 12, "unknown queue `exprt`"),
        (
            "  expert: {votes: 1",
            "  elders: {votes: 1",
            11,
            3,
            "unknown queue `elders`: schemas/topics.yaml has",
        ),
        ("escalation: expert", "escalation: audit", 13, 13, "unknown queue `audit`: `queues` of this policy"),
        ("queue: expert, supersede", "queue: none, supersede", 16, 28, "unknown queue `none`"),
        ("allow: 0.3", "allow: 0.95", 4, 34, "thresholds of `toxicity` cross"),
        ("allow: 0.3", "allow: 0.9", 4, 34, "thresholds of `toxicity` cross"),
        ("expire_hours: 100", "expire_hours: 168", 10, 79, "less than 168 hours"),
        (
            "deadline_minutes: 120",
            "deadline_minutes: 5401",
            11,
            60,
            "deadline of `expert` lies after its expiry",
        ),
        ("remove: 0.8", "remove: 8", 6, 13, "8 is greater than the maximum of 1"),
        ("remove: 0.8", "remove: .nan", 6, 13, ".nan is no number"),
        ("remove: 0.8", "remove: high", 6, 13, "'high' is not of type 'number'"),
        ("remove: 0.8", "remvoe: 0.8", 6, 5, "unknown key `remvoe`: here are allowed remove, allow"),
        ("    severity: 3\n", "", 5, 3, "'severity' is a required property of categories.hate"),
        ("name: trial\n", "", 1, 1, "'name' is a required property of a policy"),
        ("  toxicity: {", "  Toxicity: {", 4, 3, "'Toxicity' does not match"),
        ("automation: true", "automation: maybe", 2, 13, "'maybe' is not of type 'boolean'"),
        ("while_pending: publish", "while_pending: ask", 14, 16, "'ask' is not one of"),
        ("automation: true", "name: again", 2, 1, "`name` is here twice"),
        ("automation: true", "automation: !!python/name:os.system", 2, 13, "not YAML"),
        ("automation: true", "automation: [", 4, 11, "not YAML"),
        ("automation: true", "automation: 2026-02-30", 2, 13, "not a value"),
        ("name: trial", "name: tri\x01al", 1, 10, "not YAML: special characters are not allowed"),
        ("automation: true", "automation: true\n---", 3, 1, "not YAML"),
    ],
)
def test_what_is_wrong_is_named_with_line_and_column(
    old: str, new: str, line: int, column: int, says: str
) -> None:
    assert old in VALID
    found = problems(VALID.replace(old, new, 1), frozenset({"toxicity", "hate"}))
    assert [(at_line, at_column) for at_line, at_column, what in found if says in what] == [(line, column)], (
        found
    )


PLANNED = """audit:
  {share: 0.1, queue: expert, supersede: true, plan: [
    {category: toxicity, from: 0, to: 0.1, share: 0.02},
    {category: toxicity, from: 0.1, to: 1, share: 0.2}]}
"""


@pytest.mark.parametrize(
    ("old", "new", "line", "column", "says"),
    [
        (
            "toxicity, from: 0.1",
            "toxicty, from: 0.1",
            19,
            16,
            "unknown category `toxicty`: this policy has hate",
        ),
        (
            "from: 0.1, to: 1",
            "from: 0.05, to: 1",
            19,
            5,
            "`toxicity` from 0.05 to 1 are planned above already",
        ),
        ("from: 0.1, to: 1", "from: 0.4, to: 0.4", 19, 32, "no score lies from 0.4 to below 0.4"),
        ("share: 0.2", "share: 2", 19, 51, "2 is greater than the maximum of 1"),
        ("to: 1,", "till: 1,", 19, 37, "unknown key `till`"),
    ],
)
def test_a_plan_of_audits_that_is_none(old: str, new: str, line: int, column: int, says: str) -> None:
    text = VALID.replace("audit: {share: 0.1, queue: expert, supersede: true}\n", PLANNED)
    assert len(parse(text, QUEUES).audit.plan) == 2
    assert (line, column, True) in [
        (at, column, says in what) for at, column, what in problems(text.replace(old, new))
    ]


def test_every_problem_is_named_at_once_and_in_order() -> None:
    found = problems(VALID.replace("severity: 2", "severity: -1").replace("share: 0.1", "share: 2"))
    assert [line for line, _, _ in found] == [4, 16]


@pytest.mark.parametrize(
    ("pending", "hold", "at", "says"),
    [
        (
            "publish",
            "{at_most_minutes: 60, then: allow}",
            "hold",
            "nothing is held: write `while_pending: hold`",
        ),
        ("hold", "{at_most_minutes: 4800, then: allow}", "4800", "after tasks of `audit` expire (80 h)"),
        ("hold", "{at_most_minutes: 60, then: hold}", "hold}", "'hold' is not one of"),
        ("hold", "{at_most_minutes: 0, then: allow}", "0,", "0 is less than or equal to the minimum"),
        ("hold", "{then: allow}", "hold", "'at_most_minutes' is a required property of hold"),
    ],
)
def test_an_end_of_holds_that_is_none_is_refused(pending: str, hold: str, at: str, says: str) -> None:
    last = f"hold: {hold}"
    text = yaml.safe_dump({**DOCUMENT, "while_pending": pending}) + last + "\n"
    assert parse(text.replace(last, ""), QUEUES).hold is None
    ((line, column, what),) = problems(text)
    assert says in what
    assert (line, column) == (text.count("\n"), 1 + (0 if at == "hold" else last.index(at)))


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{b}: &{b} [{', '.join(['*' + a] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        (BOMB, 2, "alias *a: write the value out"),
        ("a: &a [*a]", 1, "alias *a"),
        ("[" * 5000, 1, "nested more than 20 deep"),
        ("a" * 200_001, 1, "at most 200000"),
        ("", 1, "the document is empty"),
        ("- a", 1, "is not of type 'object'"),
        ("? [a]\n: b", 1, "a key must be a word"),
    ],
)
def test_what_is_no_plain_document_is_refused_before_it_grows(text: str, line: int, says: str) -> None:
    (found,) = problems(text)
    assert found[0] == line and says in found[2]


def test_flow_and_block_style_are_the_same() -> None:
    assert (
        parse(yaml.safe_dump(DOCUMENT), QUEUES).categories
        == parse(yaml.safe_dump(DOCUMENT, default_flow_style=True), QUEUES).categories
    )


def test_risks_are_read() -> None:
    stated = {"wrong_removals": 0.02, "missed": 0.05, "confidence": 0.95}
    found = policy(categories={"toxicity": {"risks": stated, "severity": 2}, "spam": {"severity": 1}})
    assert found.categories["toxicity"].risks == Risks(**stated)
    assert found.categories["spam"].risks is None


class Point(NamedTuple):
    category: str
    wrong_removals: float = 0.02
    missed: float = 0.05
    confidence: float = 0.95
    remove: float | None = 0.9
    allow: float | None = None
    automated: float = 0.5


def test_a_risk_that_no_audit_labels_speak_for_is_refused() -> None:
    stated = "risks: {wrong_removals: 0.02, missed: 0.05, confidence: 0.95}"
    text = VALID.replace("remove: 0.8\n", f"{stated}\n")
    for points in ([], [Point("toxicity")], [Point("hate", missed=0.06)], [Point("hate", remove=None)]):
        with pytest.raises(InvalidPolicy) as refused:
            parse(text, QUEUES, points=points)
        (problem,) = refused.value.problems
        assert (problem.line, problem.column) == (6, 12)
        assert "no audit labels speak for the risks of `hate`: run `sluicegate policy tune" in problem.what
    assert parse(text, QUEUES, points=[Point("hate", wrong_removals=0.01)]).categories["hate"].risks
    assert parse(text, QUEUES).categories["hate"].risks, "what is certified is not known here"
    beside = text.replace("severity: 3", "severity: 3\n    remove: 0.8")
    assert parse(beside, QUEUES, points=[]).categories["hate"].remove == 0.8


@pytest.mark.parametrize(
    ("risks", "what"),
    [
        ("{wrong_removals: 0.02, missed: 0.05}", "'confidence' is a required property"),
        ("{wrong_removals: 0.02, missed: 1.5, confidence: 0.95}", "1.5 is greater than or equal to"),
        ("{wrong_removals: 0.02, missed: 0.05, confidence: 0.95, more: 1}", "unknown key `more`"),
        ("{wrong_removals: 0.02, missed: 0.05, confidence: 0.1}", "0.1 is less than"),
    ],
)
def test_risks_that_are_none_are_refused_in_their_line(risks: str, what: str) -> None:
    text = yaml.safe_dump(DOCUMENT, sort_keys=False).replace(
        "    severity: 2\n", f"    severity: 2\n    risks: {risks}\n", 1
    )
    line = text[: text.index("risks:")].count("\n") + 1
    with pytest.raises(InvalidPolicy) as refused:
        parse(text, QUEUES)
    assert [problem.line for problem in refused.value.problems] == [line]
    assert what in str(refused.value)


def test_whether_copies_inherit_is_read_as_a_whole_and_for_a_category() -> None:
    read = policy()
    assert read.copies and all(rule.copies for rule in read.categories.values())
    off = {**DOCUMENT["categories"], "hate": {**DOCUMENT["categories"]["hate"], "copies": False}}
    read = policy(copies=False, categories=off)
    assert not read.copies
    assert [name for name, rule in read.categories.items() if not rule.copies] == ["hate"]
