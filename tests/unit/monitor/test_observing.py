"""What each event says."""

import pytest

from services.events.types import Vote
from services.monitor.core.observing import Observation, Series, observations, pair_agreement
from tests.integration.monitor.making import label, settled, summary, verdict

AT = 1_790_000_000_000
SPAM = Series("model_against_people", "spam", "m1")
HATE = Series("model_against_people", "hate", "m1")
AGREEMENT = Series("agreement_between_people", queue="general")


def votes(*actions: str) -> list[Vote]:
    return [
        Vote(verdict_id="0" * 32, reviewer=f"r{seat}", seat=seat, action=action)  # type: ignore[arg-type]
        for seat, action in enumerate(actions)
    ]


@pytest.mark.parametrize(
    ("actions", "share"),
    [
        (("allow", "allow"), 1),
        (("allow", "remove"), 0),
        (("allow", "allow", "remove"), 1 / 3),
        (("allow", "remove", "limit"), 0),
        (("allow", "allow", "remove", "remove"), 1 / 3),
        (("allow", "allow", "allow", "remove"), 1 / 2),
    ],
)
def test_agreement_is_the_share_of_pairs_that_agree(actions: tuple[str, ...], share: float) -> None:
    assert pair_agreement(votes(*actions)) == pytest.approx(share)


@pytest.mark.parametrize(
    ("probability", "people", "differ"),
    [(0.9, True, 0), (0.9, False, 1), (0.1, True, 1), (0.1, False, 0), (0.5, True, 0), (0.4999, True, 1)],
)
def test_model_and_people_differ_where_one_says_yes(probability: float, people: bool, differ: int) -> None:
    event, _ = settled("a", AT, spam=probability, people=people)
    assert list(observations(event)) == [Observation(SPAM, AT, differ), Observation(HATE, AT, 0)]


def test_one_vote_says_nothing_of_agreement_and_two_do() -> None:
    event, _ = settled("a", AT, actions=("remove", "remove"))
    assert Observation(AGREEMENT, AT, 1.0) in list(observations(event))


def test_where_people_did_not_agree_the_model_is_not_judged() -> None:
    event, _ = settled("a", AT, actions=("remove", "allow"))
    assert list(observations(event)) == [Observation(AGREEMENT, AT, 0.0)]


def test_a_verdict_counts_and_its_retraction_does_not() -> None:
    assert list(observations(verdict("a", AT)[0])) == [
        Observation(Series("verdicts_per_minute", queue="general"), AT, 1)
    ]
    assert list(observations(verdict("a", AT, retraction=True)[0])) == []


def test_a_label_counts() -> None:
    assert list(observations(label("a", AT)[0])) == [
        Observation(Series("labels_per_minute", queue="general"), AT, 1)
    ]


def test_a_summary_counts_its_items_by_who_wrote_it() -> None:
    assert list(observations(summary("classifier", AT, 70, "m1")[0])) == [
        Observation(Series("items_per_minute", model_version="m1"), AT, 70, 70)
    ]
    assert list(observations(summary("router", AT, 70)[0])) == [
        Observation(Series("decisions_per_minute"), AT, 70, 70)
    ]
    assert list(observations(summary("router", AT, 0)[0])) == []
    assert list(observations(summary("someone", AT, 70)[0])) == []
