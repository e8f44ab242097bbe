"""What the votes on a task come to."""

from services.events.codec import encode
from services.events.types import Label
from tests.unit.adjudicator.making import NOW, due, labels, request, retraction, settled, told, verdict


def test_one_vote_settles_where_one_is_wanted() -> None:
    step = due(told(request(), verdict("ada")))
    (settlement,), (label,) = settled(step), labels(step)
    assert settlement.agreed and settlement.reason == "agreed" and settlement.agreement == 1
    assert (settlement.action, settlement.categories) == ("remove", ("toxicity",))
    assert [(vote.reviewer, vote.seat, vote.action) for vote in settlement.votes] == [("ada", 0, "remove")]
    assert settlement.scores == request().scores and settlement.requested_at == request().occurred_at
    assert label.reviewers == ("ada",) and label.text == "a post" and label.action == "remove"
    assert [encode(event) for event in step.events]


def test_a_label_speaks_of_every_scored_category_and_of_what_only_people_saw() -> None:
    (label,) = labels(due(told(request(), verdict("ada", categories=("threat", "toxicity")))))
    assert label.labels == (
        Label(category="toxicity", value=True),
        Label(category="spam", value=False),
        Label(category="threat", value=True),
    )


def test_an_allowed_post_is_a_label_too() -> None:
    (label,) = labels(due(told(request(), verdict("ada", "allow"))))
    assert label.action == "allow" and not any(each.value for each in label.labels)


def test_as_many_as_are_wanted_must_agree() -> None:
    one = told(request(2), verdict("ada"))
    assert due(one).events == ()
    both = told(request(2), verdict("ada"), verdict("grace", seat=1))
    assert [s.reason for s in settled(due(both))] == ["agreed"]


def test_different_actions_are_no_agreement_and_no_label() -> None:
    step = due(told(request(3), verdict("ada"), verdict("grace", "allow", seat=1)))
    (settlement,) = settled(step)
    assert (settlement.agreed, settlement.reason, settlement.action) == (False, "split", None)
    assert settlement.agreement == 0.5 and labels(step) == []
    assert [encode(event) for event in step.events]


def test_one_person_may_ask_for_an_expert() -> None:
    step = due(told(request(2), verdict("ada", "escalate")))
    assert [(s.agreed, s.reason) for s in settled(step)] == [(False, "escalated")] and labels(step) == []


def test_the_categories_are_those_of_the_majority() -> None:
    step = due(
        told(
            request(3),
            verdict("ada", categories=("toxicity", "hate")),
            verdict("grace", seat=1, categories=("toxicity",)),
            verdict("joan", seat=2, categories=("hate", "spam")),
        )
    )
    assert settled(step)[0].categories == ("hate", "toxicity")


def test_who_removes_for_different_reasons_does_not_agree() -> None:
    votes = (verdict("ada", categories=("toxicity",)), verdict("grace", seat=1, categories=("spam",)))
    assert [s.reason for s in settled(due(told(request(2), *votes)))] == ["split"]


def test_a_seat_and_a_person_have_one_vote_and_the_first_wins() -> None:
    same_seat = told(request(), verdict("ada", "allow"), verdict("grace", "remove", at=NOW - 100))
    assert settled(due(same_seat))[0].action == "allow"
    same_person = told(request(2), verdict("ada"), verdict("ada", "allow", seat=1, at=NOW + 1))
    assert due(same_person).events == ()


def test_a_verdict_that_is_taken_back_does_not_count_and_frees_its_seat() -> None:
    first = verdict("ada", "remove")
    assert due(told(request(), first, retraction(first))).events == ()
    again = told(request(), first, retraction(first), verdict("ada", "allow", at=NOW + 2_000))
    assert settled(due(again))[0].action == "allow"
    other = told(request(), first, retraction(first), verdict("grace", "allow", at=NOW + 2_000))
    assert settled(due(other))[0].votes[0].reviewer == "grace"


def test_it_is_too_late_to_take_back_what_is_final() -> None:
    first = verdict("ada")
    assert settled(due(told(request(), first, retraction(first, at=NOW + 5_001))))


def test_it_does_not_matter_how_late_anybody_looks() -> None:
    """Two votes agree at 5 s; a third, of another opinion, comes later: the task was settled by then."""
    votes = (verdict("ada"), verdict("grace", seat=1), verdict("joan", "allow", seat=2, at=NOW + 60_000))
    on_time, late = due(told(request(2), *votes), NOW + 5_500), due(told(request(2), *votes))
    assert settled(on_time)[0].votes == settled(late)[0].votes
    assert len(settled(late)[0].votes) == 2
