"""A policy from its YAML, or everything that is wrong with it, each with line and column."""

import json
from collections.abc import Iterable
from functools import cache
from hashlib import sha256
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from services.events.schemas import SCHEMAS
from services.policy.certified import Certified, covered
from services.policy.counters import COUNTERS, PREFIX
from services.policy.document import Document, Path, read
from services.policy.errors import InvalidPolicy, Problem
from services.policy.expressions import InvalidCondition, check
from services.policy.lists import doubled, made
from services.policy.model import (
    AlarmRule,
    AuditRule,
    AuditStratum,
    CategoryRule,
    HoldRule,
    Policy,
    QueueRule,
    Risks,
)
from services.policy.rules import Rule, Rules, compiled, known

MINUTE, HOUR = 60_000, 3_600_000


def parse(
    text: str,
    queues: frozenset[str],
    categories: frozenset[str] | None = None,
    retention_hours: int = 168,
    points: Iterable[Certified] | None = None,
) -> Policy:
    """The policy in the YAML `text`.

    `queues` are those of topics.yaml, `categories` those that the live model scores (None: not known, not checked),
    `retention_hours` how long Kafka keeps a review.requested, `points` what audit labels certified for the live models
    (None: not known, not checked). Raises InvalidPolicy with every problem.
    """
    document = read(text)
    problems = [
        problem for error in _validator().iter_errors(document.value) for problem in _shown(error, document)
    ]
    if not problems:
        problems = [
            *_unknown(document, queues, categories),
            *_senseless(document, retention_hours),
            *_planned(document),
            *_displaced(document),
            *(_unproven(document, tuple(points)) if points is not None else ()),
            *_endless(document),
            *doubled(document),
            *_conditions(document),
            *_counters(document),
        ]
    if problems:
        raise InvalidPolicy(problems)
    return _policy(document.value, policy_version(document.value["name"], text))


def content_hash(text: str) -> str:
    """SHA-256 of the document, 64 hex digits."""
    return sha256(text.encode()).hexdigest()


def policy_version(name: str, text: str) -> str:
    """Name and the first 8 hex digits of the document's SHA-256, as in starter-9be0d1f7."""
    return f"{name}-{content_hash(text)[:8]}"


@cache
def _validator() -> Draft202012Validator:
    return Draft202012Validator(json.loads((SCHEMAS / "policy.schema.json").read_text("utf-8")))


def _shown(error: ValidationError, document: Document) -> list[Problem]:
    """A violation of the schema in words, where it is; an unknown key is shown at the key itself."""
    path: Path = tuple(error.absolute_path)
    if error.validator == "additionalProperties" and isinstance(error.instance, dict):
        allowed = error.schema.get("properties", {})  # type: ignore[union-attr]
        known = ", ".join(allowed)
        return [
            document.problem((*path, key), f"unknown key `{key}`: here are allowed {known}", key=True)
            for key in error.instance
            if key not in allowed
        ]
    where = ".".join(map(str, path))
    if error.validator == "required":
        return [document.problem(path, f"{error.message} of {where or 'a policy'}: add it", key=bool(path))]
    if "propertyNames" in error.absolute_schema_path:
        return [document.problem((*path, str(error.instance)), f"name {error.message}", key=True)]
    return [document.problem(path, f"`{where}`: {error.message}" if where else error.message)]


def _unknown(document: Document, queues: frozenset[str], categories: frozenset[str] | None) -> list[Problem]:
    value, problems = document.value, []
    for name in value["queues"]:
        if name not in queues:
            what = f"unknown queue `{name}`: schemas/topics.yaml has {_list(queues)}; add it there first"
            problems.append(document.problem(("queues", name), what, key=True))
    named: list[Path] = [("queue",), ("escalation",), ("audit", "queue")]
    deciding: list[tuple[Path, dict[str, Any]]] = [
        ((kind, i), of) for kind in ("lists", "rules") for i, of in enumerate(value.get(kind, ()))
    ]
    named += [(*path, "queue") for path, of in deciding if "queue" in of]
    named += [("categories", name, "queue") for name, of in value["categories"].items() if "queue" in of]
    for path in named:
        queue = _at(value, path)
        if queue not in value["queues"]:
            what = f"unknown queue `{queue}`: `queues` of this policy has {_list(value['queues'])}"
            problems.append(document.problem(path, what))
    for path, of in deciding:
        if (category := of.get("category")) is not None and category not in value["categories"]:
            what = f"unknown category `{category}`: this policy has {_list(value['categories'])}"
            problems.append(document.problem((*path, "category"), what))
    for name in value["categories"]:
        if categories is not None and name not in categories:
            what = (
                f"unknown category `{name}`: the live model scores {_list(categories)}; "
                "correct the name, or release a model that has it first"
            )
            problems.append(document.problem(("categories", name), what, key=True))
    return problems


def _conditions(document: Document) -> list[Problem]:
    """Conditions that are none, where they are wrong."""
    value, problems, seen = document.value, [], set()
    names = known(value["categories"])
    for i, rule in enumerate(value.get("rules", ())):
        if rule["name"] in seen:
            problems.append(document.problem(("rules", i, "name"), f"rule `{rule['name']}` is here twice"))
        seen.add(rule["name"])
        try:
            compiled(check(rule["when"], names))
        except InvalidCondition as error:
            problems.append(document.within(("rules", i, "when"), error.at, error.what))
        except ValueError as error:
            problems.append(document.problem(("rules", i, "when"), f"not CEL: {error}"))
    return problems


def _counters(document: Document) -> list[Problem]:
    """Counters that there are not."""
    return [
        document.problem(("counters", i), f"unknown counter `{name}`: there are {_list(COUNTERS)}")
        for i, name in enumerate(document.value.get("counters", ()))
        if name not in COUNTERS
    ]


def _rules(value: dict[str, Any]) -> tuple[Rule, ...]:
    rules, names = [], known(value["categories"])
    for of in value.get("rules", ()):
        category = value["categories"].get(of.get("category"), {})
        condition = check(of["when"], names)
        rules.append(
            Rule(
                name=of["name"],
                effect=of["then"],
                categories=(of["category"],) if "category" in of else (),
                queue=of.get("queue", category.get("queue")),
                severity=float(category.get("severity", 0)),
                condition=condition,
                program=compiled(condition),
            )
        )
    return tuple(rules)


def _senseless(document: Document, retention_hours: int) -> list[Problem]:
    problems = []
    for name, of in document.value["categories"].items():
        allow, remove = of.get("allow"), of.get("remove")
        if allow is not None and remove is not None and allow >= remove:
            what = f"thresholds of `{name}` cross: `allow` ({allow}) must be below `remove` ({remove})"
            problems.append(document.problem(("categories", name, "allow"), what))
    for name, of in document.value["queues"].items():
        if of["expire_hours"] >= retention_hours:
            what = (
                f"tasks of `{name}` must expire before Kafka forgets them: less than {retention_hours} hours"
            )
            problems.append(document.problem(("queues", name, "expire_hours"), what))
        elif of["deadline_minutes"] > of["expire_hours"] * 60:
            what = f"the deadline of `{name}` lies after its expiry of {of['expire_hours']} h: set it earlier"
            problems.append(document.problem(("queues", name, "deadline_minutes"), what))
    return problems


def _unproven(document: Document, points: tuple[Certified, ...]) -> list[Problem]:
    """Risks that no audit labels speak for, in categories that have no thresholds to fall back on either."""
    problems = []
    for name, of in document.value["categories"].items():
        if "risks" not in of or "remove" in of or "allow" in of:
            continue
        if not covered(Risks(**of["risks"]), name, points):
            what = (
                f"no audit labels speak for the risks of `{name}`: run `sluicegate policy tune --category {name}`, or "
                "write `remove` and `allow` beside them, which serve until it has been"
            )
            problems.append(document.problem(("categories", name, "risks"), what))
    return problems


def _displaced(document: Document) -> list[Problem]:
    """Queues that stand in for none, for one that stands in itself, or for one that another stands in for."""
    queues, problems, taken = document.value["queues"], [], dict[tuple[str, str], str]()
    for name, of in queues.items():
        if (instead := of.get("for")) is None:
            continue
        if instead not in queues:
            what = f"unknown queue `{instead}`: `queues` of this policy has {_list(queues)}"
        elif instead == name or "for" in queues[instead]:
            what = f"`{instead}` stands in for another queue itself: name that one"
        elif not of.get("languages"):
            what = f"`{name}` says not in which `languages` it stands in for `{instead}`: add them"
        elif twice := [each for each in of["languages"] if (instead, each) in taken]:
            what = f"`{taken[instead, twice[0]]}` stands in for `{instead}` in {twice[0]} already: keep one"
        else:
            taken |= {(instead, language): name for language in of["languages"]}
            continue
        problems.append(document.problem(("queues", name, "for"), what))
    return problems


def _stand_ins(queues: dict[str, Any]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for name, of in queues.items():
        if "for" in of:
            found.setdefault(of["for"], {}).update(dict.fromkeys(of["languages"], name))
    return found


def _planned(document: Document) -> list[Problem]:
    """Strata of the audit plan of a category that the policy lacks, that are empty, or that overlap."""
    value, problems = document.value, []
    seen: list[tuple[str, float, float]] = []
    for i, of in enumerate(value["audit"].get("plan", ())):
        path, category, low, high = ("audit", "plan", i), of["category"], of["from"], of["to"]
        if category not in value["categories"]:
            what = f"unknown category `{category}`: this policy has {_list(value['categories'])}"
            problems.append(document.problem((*path, "category"), what))
        if low >= high:
            what = f"no score lies from {low} to below {high}: `from` must be below `to`"
            problems.append(document.problem((*path, "from"), what))
        elif any(name == category and low < end and start < high for name, start, end in seen):
            what = f"scores of `{category}` from {low} to {high} are planned above already, in part: keep one"
            problems.append(document.problem(path, what))
        seen.append((category, low, high))
    return problems


def _audit(value: dict[str, Any]) -> AuditRule:
    return AuditRule(
        share=value["share"],
        queue=value["queue"],
        supersede=value["supersede"],
        plan=tuple(
            AuditStratum(category=of["category"], lower=of["from"], upper=of["to"], share=of["share"])
            for of in value.get("plan", ())
        ),
    )


def _endless(document: Document) -> list[Problem]:
    """An end of holds where nothing is held, or that comes after everything else."""
    value = document.value
    if (hold := value.get("hold")) is None:
        return []
    if value["while_pending"] != "hold":
        what = "nothing is held: write `while_pending: hold`, or take `hold` out"
        return [document.problem(("hold",), what, key=True)]
    first = min(value["queues"], key=lambda name: value["queues"][name]["expire_hours"])
    hours = value["queues"][first]["expire_hours"]
    if hold["at_most_minutes"] < hours * 60:
        return []
    what = f"the hold would end after tasks of `{first}` expire ({hours} h): make it shorter"
    return [document.problem(("hold", "at_most_minutes"), what)]


def _policy(value: dict[str, Any], version: str) -> Policy:
    alarm = value.get("alarms", {}).get("model_against_people")
    rules = _rules(value)
    return Policy(
        name=value["name"],
        version=version,
        lists=made(value),
        rules=rules,
        tried=Rules(rules) if rules else None,
        counters=tuple(sorted(_used(rules) | set(value.get("counters", ())))),
        automation=value["automation"],
        categories={
            name: CategoryRule(
                name=name,
                remove=of.get("remove"),
                allow=of.get("allow"),
                action=of.get("action", "remove"),
                severity=float(of["severity"]),
                queue=of.get("queue", value["queue"]),
                risks=Risks(**of["risks"]) if "risks" in of else None,
                copies=of.get("copies", True),
            )
            for name, of in value["categories"].items()
        },
        queues={
            name: QueueRule(
                votes=of["votes"],
                lease_seconds=of["lease_seconds"],
                deadline_ms=round(of["deadline_minutes"] * MINUTE),
                expire_ms=round(of["expire_hours"] * HOUR),
                skills=tuple(of.get("skills", ())),
                languages=tuple(of.get("languages", ())),
                stands_for=of.get("for"),
            )
            for name, of in value["queues"].items()
        },
        stand_ins=_stand_ins(value["queues"]),
        queue=value["queue"],
        escalation=value["escalation"],
        while_pending=value["while_pending"],
        hold=None
        if "hold" not in value
        else HoldRule(
            at_most_ms=round(value["hold"]["at_most_minutes"] * MINUTE), then=value["hold"]["then"]
        ),
        fallback=value["fallback"],
        audit=_audit(value["audit"]),
        copies=value.get("copies", True),
        caps=value.get("caps", {}),
        budget=value["budget"]["reviews_per_hour"] if "budget" in value else None,
        model_against_people=None
        if alarm is None
        else AlarmRule(
            max_disagreement=alarm["max_disagreement"],
            min_count=alarm["min_count"],
            window_ms=round(alarm["window_minutes"] * MINUTE),
        ),
    )


def _used(rules: tuple[Rule, ...]) -> set[str]:
    """Counters that rules use."""
    names = {name for rule in rules for name in rule.condition.names.values()}
    return {name.removeprefix(PREFIX) for name in names if name.startswith(PREFIX)}


def _at(value: Any, path: Path) -> Any:
    for key in path:
        value = value[key]
    return value


def _list(names: Any) -> str:
    return ", ".join(sorted(names)) or "none"
