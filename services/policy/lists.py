"""Lists of texts: what a policy makes of an item whose text one of them has.

The files are read by who does I/O (services.scoring.live_lists); here is which list decides.
"""

from collections.abc import Iterable
from typing import Any

import msgspec

from services.events.types import Listed
from services.policy.document import Document
from services.policy.errors import Problem
from services.policy.model import ListRule, Policy


def deciding(policy: Policy, listed: Iterable[Listed], item: msgspec.Raw) -> ListRule | None:
    """The first list of the policy that has the item's text and may say so.

    A list that allows does not speak for what else there is to see: an item with media it leaves to what comes after.
    """
    names = {each.name for each in listed}
    for rule in policy.lists:
        if rule.name in names and not (rule.effect == "allow" and _media(item).media):
            return rule
    return None


def followed(policy: Policy, listed: tuple[Listed, ...]) -> tuple[Listed, ...]:
    """Those of the policy: a candidate beside it may follow others."""
    if not listed:
        return ()
    names = {rule.name for rule in policy.lists}
    return tuple(each for each in listed if each.name in names)


def made(value: dict[str, Any]) -> tuple[ListRule, ...]:
    """The lists of a policy's document."""
    return tuple(
        ListRule(
            name=of["name"],
            effect=of["then"],
            categories=(of["category"],) if "category" in of else (),
            queue=of.get("queue", value["categories"].get(of.get("category"), {}).get("queue")),
            severity=float(value["categories"].get(of.get("category"), {}).get("severity", 0)),
        )
        for of in value.get("lists", ())
    )


def doubled(document: Document) -> list[Problem]:
    """Lists that are named twice."""
    seen, problems = set[str](), []
    for i, of in enumerate(document.value.get("lists", ())):
        if of["name"] in seen:
            problems.append(
                document.problem(("lists", i, "name"), f"list `{of['name']}` is here twice: keep one")
            )
        seen.add(of["name"])
    return problems


class _Media(msgspec.Struct, gc=False):
    media: list[msgspec.Raw] = []


_media = msgspec.json.Decoder(_Media).decode
