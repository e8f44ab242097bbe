"""Every event and what events are made of.

Written by `python -m services.events.generate` from schemas/events: change those instead.
Arrays are tuples, an absent array is empty, an absent nullable field is None, unknown fields are ignored.
"""

from typing import Annotated, Any, Literal

import msgspec

# 32 hex digits (a hash of what the event is derived from, or a UUIDv7), or a UUID as platforms write it
EventId = Annotated[str, msgspec.Meta(pattern=r"^([0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})\Z")]

# RFC 3339, UTC, to the millisecond: 2026-01-31T12:00:00.000Z
Instant = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?Z\Z"
    ),
]

Measure = Annotated[str, msgspec.Meta(pattern=r"^[a-z_]{1,60}\Z")]  # Name of what is measured

# What may be wrong with an item, as policy and model name it
Category = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]{0,39}\Z")]

# Name and short content hash of a model or policy
Version = Annotated[str, msgspec.Meta(pattern=r"^[!-~]{1,100}\Z")]

Count = Annotated[int, msgspec.Meta(ge=0, le=9007199254740991)]  # How many


class AlarmRaised(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Something must be acted on, or no longer."""

    schema: Literal["alarm_raised.v1"] = "alarm_raised.v1"
    event_id: EventId
    occurred_at: Instant
    alarm: Measure  # model_against_people …
    active: bool  # False: it is over
    category: Category | None = None
    model_version: Version | None = None
    value: float  # What was measured, recounted exactly
    limit: float  # What policy allows
    count: Count  # Events it rests on
    window_start: Instant
    window_end: Instant
    reason: Annotated[str, msgspec.Meta(max_length=1000)]  # In words


ActorKind = Literal["account", "key", "cli", "service"]

# The platform that owns the item; also the suffix of its topic
Source = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9-]{1,40}\Z")]


class AuditRecorded(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Who read or did what."""

    schema: Literal["audit_recorded.v1"] = "audit_recorded.v1"
    event_id: EventId
    occurred_at: Instant
    actor: Annotated[str, msgspec.Meta(max_length=200)]  # Account, key or service
    actor_kind: ActorKind
    action: Annotated[str, msgspec.Meta(pattern=r"^[a-z_.]{1,60}\Z")]  # As in task.claimed, account.created
    subject: Annotated[str, msgspec.Meta(max_length=400)]  # What it was done to
    source: Source | None = None
    detail: dict[str, Any] | None = None  # What else is worth keeping


# The platform's own id: visible ASCII without spaces
ItemId = Annotated[str, msgspec.Meta(pattern=r"^[!-~]{1,200}\Z")]

# An edit is a higher revision of the same item
Revision = Annotated[int, msgspec.Meta(ge=1, le=9007199254740991)]

# post, comment, profile … as the platform names it
Kind = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]{0,39}\Z")]

Text = Annotated[str, msgspec.Meta(max_length=262144)]  # What is to be judged

Sha256 = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]  # 64 hex digits


class Media(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A reference, never the bytes."""

    url: Annotated[str, msgspec.Meta(max_length=2000)]  # Where it can be fetched
    sha256: Sha256 | None = None  # Hash of its bytes
    media_type: Annotated[str, msgspec.Meta(max_length=100)] | None = None  # As in image/png


Language = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9-]{2,35}\Z")]  # BCP 47


class Author(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Who wrote the item; platforms may add fields."""

    id: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]  # The platform's id of the author
    created_at: Instant | None = None  # When the account was made


class Item(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What was published. 256 KiB at most, encoded."""

    kind: Kind
    text: Text | None = None  # What is to be judged; null where there are only media
    media: tuple[Media, ...] = ()  # References to images and the like
    language: Language | None = None  # BCP 47
    author: Author | None = None  # Who wrote it
    # Whatever helps a person to judge it: the thread, the post answered
    context: dict[str, Any] | None = None
    reach: Count | None = None  # How many people will see it, as the platform expects
    submitted_at: Instant | None = None  # When it was published, by the platform's clock


# 128-bit hash of source, kind, normalised text and media
TextHash = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{32}\Z")]

Probability = Annotated[float, msgspec.Meta(ge=0, le=1)]


class Score(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a model says of one category."""

    category: Category
    probability: Probability  # Calibrated
    # Spread of the committee's heads; null without a committee
    disagreement: Annotated[float, msgspec.Meta(ge=0)] | None = None


Tier = Literal["fast", "slow"]  # Which tier of models

RunId = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]  # A deliberate re-moderation of past items

# What the caller was answered; what people decide carries no verdict
InlineAction = Literal["allow", "limit", "remove"]


class ReviewBudget(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """How valuable a question was, and whom people had time for."""

    value: Annotated[float, msgspec.Meta(ge=0)]  # Severity × reach × uncertainty
    # From this value on a share of the items was asked about; null: none was
    threshold: Annotated[float, msgspec.Meta(ge=0)] | None = None
    margin: Annotated[float, msgspec.Meta(ge=0)] | None = None  # From this value on all were; null: none was
    probability: Probability  # The share of items between the two
    draw: Probability | None = None  # The item's draw in [0, 1) for that share


# source/item_id@revision.decision_seq, or ….audit
TaskId = Annotated[str, msgspec.Meta(pattern=r"^[!-~]{1,300}\Z")]

# What a platform does: hold only as an interim decision
DecisionAction = Literal["allow", "limit", "remove", "hold"]


class Precedent(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What people had decided on a copy: an item of the same text_hash."""

    decision: TaskId  # Whose decision: source/item_id@revision.decision_seq
    action: DecisionAction
    categories: tuple[Category, ...] = ()


class Listed(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A list of texts that had an item's, as it was then."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=60)]  # As the policy names it
    # First 8 hex digits of the SHA-256 of its file
    version: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{8}\Z")]


class Circumstances(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """What a decision was made with, so that it can be made again."""

    automation: bool  # False while the switch stopped all automation
    alarms: tuple[Category, ...] = ()  # Categories under an alarm
    capped: bool = False  # True where a cap on automatic actions had a say
    draw: Probability | None = None  # The item's draw in [0, 1) for sampling
    counters: dict[str, Any] | None = None  # Counters that rules saw; null where they were not to be had
    # Whether the slow tier's scores came in time; null where they were not waited for
    slow: Literal["scored", "late"] | None = None
    # Which model gave the scores that the slow one does not give; null where all are of one model
    fast_model_version: Version | None = None
    # What a budget of people's time had to do with it; null where it had no say
    budget: ReviewBudget | None = None
    precedent: Precedent | None = None  # What people had decided on a copy; null where nothing
    listed: tuple[Listed, ...] = ()  # Lists of the policy that had the item's text


class InlineVerdict(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What ingest decided in line; `signature` binds it to this revision and content."""

    action: InlineAction  # What the caller was answered; what people decide carries no verdict
    categories: tuple[Category, ...] = ()  # Why
    # The threshold, rule or copy that decided, for people to read
    rule: Annotated[str, msgspec.Meta(max_length=200)] | None = None
    scores: tuple[Score, ...]  # What it was decided with: the item is not scored again
    circumstances: Circumstances
    model_version: Version
    policy_version: Version
    decided_at: Instant
    # HMAC-SHA-256, hex; see services/policy/inline.py
    signature: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]


class ContentClassified(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """A model scored an item; a withdrawal passes through."""

    schema: Literal["content_classified.v1"] = msgspec.field(default_factory=lambda: "content_classified.v1")
    event_id: EventId
    occurred_at: Instant
    source: Source
    item_id: ItemId
    revision: Revision
    withdrawn: bool = False  # The item was taken back: every revision up to this one is closed
    item: Item | None = None  # Null for a withdrawal
    text_hash: TextHash | None = None  # Null where there is nothing to compare
    scores: tuple[Score, ...] = ()  # One for each category of the model
    model_version: Version | None = None  # Null for a withdrawal
    tier: Tier  # Which tier scored it
    slow_until: Instant | None = None  # When to stop waiting for the slow tier's scores; null where none come
    accepted_at: Instant | None = None  # When Kafka appended the submission: age is counted from here
    run_id: RunId | None = None  # Set where past items are moderated again
    # A verdict that ingest gave in line and whose signature is right: it is recorded, not decided again
    inline: InlineVerdict | None = None

    def __post_init__(self) -> None:
        if self.withdrawn is False and self.item is None:
            raise ValueError("`item` must not be null where `withdrawn` is false")


# Number of a decision within its revision: 0 automatic, 1 the first that people make
DecisionSeq = Annotated[int, msgspec.Meta(ge=0, le=1000)]

# Who or what decided
Basis = Literal["automated", "human", "rule", "duplicate", "appeal", "inline", "fallback"]


class ContentDecided(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """The outcome for an item. A platform applies only what is higher in (revision, decision_seq, final, interim)."""

    schema: Literal["content_decided.v1"] = msgspec.field(default_factory=lambda: "content_decided.v1")
    event_id: EventId
    occurred_at: Instant
    source: Source
    item_id: ItemId
    revision: Revision
    decision_seq: DecisionSeq
    final: bool  # False: an interim decision while people look
    # How many interim decisions there were before: 1 where a hold lasted too long
    interim: Annotated[int, msgspec.Meta(ge=0, le=1000)] = 0
    action: DecisionAction
    categories: tuple[Category, ...] = ()  # Why
    basis: Basis  # Who or what decided
    # The threshold, rule or fallback that decided, for people to read
    rule: Annotated[str, msgspec.Meta(max_length=200)] | None = None
    supersedes: DecisionSeq | None = None  # Number of the decision that this one takes the place of
    task_id: TaskId | None = None
    text_hash: TextHash | None = None
    scores: tuple[Score, ...] = ()
    circumstances: Circumstances
    model_version: Version | None = None
    policy_version: Version | None = None
    accepted_at: Instant | None = None  # When Kafka appended the submission: age is counted from here
    run_id: RunId | None = None  # Set where past items are moderated again


class Stood(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The final decision that stood when the item was looked at again."""

    decision_seq: DecisionSeq  # Its number
    last_seq: DecisionSeq  # The highest number given out in this revision, to a question or a decision
    action: DecisionAction
    basis: Annotated[str, msgspec.Meta(max_length=40)]  # Who or what decided


class ContentRemoderated(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A past item was scored again by today's model, in a run: the router decides whether that changes what stands."""

    schema: Literal["content_remoderated.v1"] = "content_remoderated.v1"
    event_id: EventId
    occurred_at: Instant
    source: Source
    item_id: ItemId
    revision: Revision
    run_id: RunId
    item: Item
    text_hash: TextHash | None = None
    scores: tuple[Score, ...] = ()  # One for each category of the models
    model_version: Version
    fast_model_version: Version | None = None  # Whose the scores are that the slow tier did not give
    tier: Tier  # Which tier scored it
    counters: dict[str, Any] | None = None  # Counters as they were recorded when the item was first decided
    accepted_at: Instant | None = None  # When Kafka appended the submission
    standing: Stood  # The final decision that stood when the item was looked at again


Note = Annotated[str, msgspec.Meta(max_length=4000)]  # In a person's words


class ContentReported(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A user of the platform reported an item."""

    schema: Literal["content_reported.v1"] = "content_reported.v1"
    event_id: EventId
    occurred_at: Instant
    source: Source
    item_id: ItemId
    revision: Revision
    reporter: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]  # The platform's id of who reported
    category: Category | None = None  # What they say is wrong
    note: Note | None = None  # In their words
    item: Item | None = None  # The item meant
    decision_seq: DecisionSeq | None = None  # The decision in force, where there is one


class ContentSubmitted(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A platform published, edited or withdrew an item."""

    schema: Literal["content_submitted.v1"] = "content_submitted.v1"
    event_id: EventId | None = None  # Platforms may leave it out
    occurred_at: Instant | None = None  # Platforms may leave it out
    source: Source
    item_id: ItemId
    revision: Revision
    withdrawn: bool = False  # The item was taken back: every revision up to this one is closed
    item: Item | None = None  # Null for a withdrawal
    inline: InlineVerdict | None = None  # Only in what ingest answered with a verdict in the same call

    def __post_init__(self) -> None:
        if self.withdrawn is False and self.item is None:
            raise ValueError("`item` must not be null where `withdrawn` is false")


class ContentUncertain(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The fast tier hands an item to the slow tier too."""

    schema: Literal["content_uncertain.v1"] = "content_uncertain.v1"
    event_id: EventId
    occurred_at: Instant
    source: Source
    item_id: ItemId
    revision: Revision
    withdrawn: bool = False  # The item was taken back: every revision up to this one is closed
    item: Item | None = None  # Null for a withdrawal
    text_hash: TextHash | None = None  # Null where there is nothing to compare
    scores: tuple[Score, ...] = ()  # One for each category of the model
    model_version: Version | None = None  # Null for a withdrawal
    slow_until: Instant | None = None  # Until when scores are waited for: later ones are of no use
    accepted_at: Instant | None = None  # When Kafka appended the submission: age is counted from here
    run_id: RunId | None = None  # Set where past items are moderated again

    def __post_init__(self) -> None:
        if self.withdrawn is False and self.item is None:
            raise ValueError("`item` must not be null where `withdrawn` is false")


class DecisionAppealed(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The author of an item objects to a decision."""

    schema: Literal["decision_appealed.v1"] = "decision_appealed.v1"
    event_id: EventId
    occurred_at: Instant
    source: Source
    item_id: ItemId
    revision: Revision
    decision_seq: DecisionSeq  # The decision appealed against
    action: DecisionAction  # What was decided
    appellant: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]  # The platform's id of who appeals
    statement: Note | None = None  # In their words
    item: Item | None = None  # The item meant


class Label(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What people said of one category."""

    category: Category
    value: bool  # Whether it applies


Purpose = Literal["decision", "audit"]  # decision: its outcome decides the item; audit: blind, and no outcome

Queue = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9-]{0,39}\Z")]  # Suffix of a reviewer topic

Person = Annotated[str, msgspec.Meta(pattern=r"^[!-~]{1,100}\Z")]  # Name of a reviewer's account

ReasonCode = Annotated[str, msgspec.Meta(pattern=r"^[a-z_]{1,40}\Z")]  # A reason in one word, for counting


class Selection(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Why people were asked and how likely that was."""

    reason: ReasonCode  # uncertain, sampled, planned, not_agreed, alarm, automation_off, no_thresholds …
    # Of being chosen, given the item: training weights by its inverse
    probability: Annotated[float, msgspec.Meta(gt=0, le=1)]


class LabelRecorded(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What people said of a text: the training set."""

    schema: Literal["label_recorded.v1"] = "label_recorded.v1"
    event_id: EventId
    occurred_at: Instant
    task_id: TaskId
    source: Source
    item_id: ItemId
    revision: Revision
    kind: Kind  # Kind of the item
    text: Text | None = None
    language: Language | None = None
    text_hash: TextHash | None = None
    action: DecisionAction
    labels: tuple[Label, ...] = ()  # One for each category that was in question
    purpose: Purpose
    queue: Queue
    reviewers: tuple[Person, ...] = ()
    selection: Selection
    agreement: Probability
    model_version: Version | None = None
    policy_version: Version | None = None


class ModelReleased(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A model is live in its tier."""

    schema: Literal["model_released.v1"] = "model_released.v1"
    event_id: EventId
    occurred_at: Instant
    model_version: Version
    name: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9-]{1,60}\Z")]  # Of the bundle
    tier: Tier
    bundle: Annotated[str, msgspec.Meta(max_length=2000)]  # Folder or URL of the bundle
    content_hash: Sha256  # SHA-256 of model.onnx
    categories: tuple[Category, ...] = ()
    replaces: Version | None = None
    released_by: Person
    reason: Annotated[str, msgspec.Meta(max_length=1000)]  # Why
    lineage: dict[str, Any] | None = None  # What it was trained on: topics, offsets, counts
    metrics: dict[str, Any] | None = None  # What it was released for


class PolicyReleased(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A policy is live."""

    schema: Literal["policy_released.v1"] = "policy_released.v1"
    event_id: EventId
    occurred_at: Instant
    policy_version: Version
    content_hash: Sha256  # SHA-256 of the document
    document: Annotated[str, msgspec.Meta(max_length=200000)]  # The policy itself, YAML
    replaces: Version | None = None
    released_by: Person
    reason: Annotated[str, msgspec.Meta(max_length=1000)]  # Why


class PolicyShadowed(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A candidate is tried beside the live policy, or no longer. The event's id names the trial."""

    schema: Literal["policy_shadowed.v1"] = "policy_shadowed.v1"
    event_id: EventId
    occurred_at: Instant
    active: bool  # False: no candidate is tried any more
    policy_version: Version | None = None  # The candidate's, or that of the one that is over
    content_hash: Sha256 | None = None  # SHA-256 of the document
    document: Annotated[str, msgspec.Meta(max_length=200000)] | None = None  # The candidate itself, YAML
    beside: Version | None = None  # The policy that was live when the trial began or ended
    share: Annotated[float, msgspec.Meta(gt=0, le=1)] = 1  # Of the items, drawn by item
    until: Instant | None = None  # When it ends by itself; items appended later are not looked at
    shadowed_by: Person
    reason: Annotated[str, msgspec.Meta(max_length=1000)]  # Why

    def __post_init__(self) -> None:
        if self.active is True and self.document is None:
            raise ValueError("`document` must not be null where `active` is true")


class QualityMeasured(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a window says of models, people and queues."""

    schema: Literal["quality_measured.v1"] = "quality_measured.v1"
    event_id: EventId
    occurred_at: Instant
    measure: Measure  # agreement_between_people, model_against_people, verdicts_per_minute …
    window_start: Instant
    window_end: Instant
    category: Category | None = None
    model_version: Version | None = None
    queue: Queue | None = None
    value: float  # In the measure's unit
    count: Count  # Events it rests on


# What changed
Change = Literal[
    "epoch_started",
    "queue_paused",
    "queue_resumed",
    "task_held",
    "task_released",
    "task_assigned",
    "person_exposed",
]


class ReviewChanged(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A hold, pause, assignment, exposure or lease epoch: what must survive the loss of Redis."""

    schema: Literal["review_changed.v1"] = "review_changed.v1"
    event_id: EventId
    occurred_at: Instant
    change: Change  # What changed
    queue: Queue | None = None
    task_id: TaskId | None = None
    reviewer: Person | None = None
    epoch: Count | None = None  # Of lease tokens; grows with every rebuild
    until: Instant | None = None
    amount: float | None = None  # Seconds or severity of an exposure
    changed_by: Person


ClosingReason = Literal["withdrawn", "edited", "copy_decided", "expired", "settled"]  # Why


class ReviewClosed(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A task no longer needs people."""

    schema: Literal["review_closed.v1"] = "review_closed.v1"
    event_id: EventId
    occurred_at: Instant
    source: Source
    item_id: ItemId
    revision: Revision
    task_id: TaskId | None = None  # Null: the item itself, every revision up to this one
    reason: ClosingReason  # Why


# 128-bit hash of the first task of a cluster of near copies
Cluster = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{32}\Z")]


class ReviewClustered(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A task is one of a cluster of near copies. It decides nothing, it lets queues batch."""

    schema: Literal["review_clustered.v1"] = "review_clustered.v1"
    event_id: EventId
    occurred_at: Instant
    task_id: TaskId
    source: Source
    item_id: ItemId
    revision: Revision
    queue: Queue  # Of the task
    cluster: Cluster
    size: Annotated[int, msgspec.Meta(ge=1)]  # Tasks that joined so far, this one included
    # Estimated Jaccard similarity to the first of the cluster; null: it is the first
    similarity: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None
    # Algorithm and version: similarities of different ones do not compare
    method: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9-]{1,60}\Z")]


Seat = Annotated[int, msgspec.Meta(ge=0, le=99)]  # Which of the votes wanted

# What a person says should be done; escalate asks the experts
VerdictAction = Literal["allow", "limit", "remove", "escalate"]


class Span(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A part of the text, in characters."""

    start: Count  # First character
    end: Count  # One past the last character
    category: Category | None = None  # What it speaks for
    weight: float | None = None  # Signed attribution in log-odds; null for a person's span


class ReviewCompleted(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One verdict of one person, or its retraction."""

    schema: Literal["review_completed.v1"] = "review_completed.v1"
    event_id: EventId
    occurred_at: Instant
    task_id: TaskId
    source: Source
    item_id: ItemId
    revision: Revision
    decision_seq: DecisionSeq
    queue: Queue
    verdict_id: EventId  # Of the verdict, also in its retraction
    retraction: bool = False  # True: the verdict is taken back
    reviewer: Person
    seat: Seat
    action: VerdictAction | None = None  # Null in a retraction
    categories: tuple[Category, ...] = ()  # All that apply
    spans: tuple[Span, ...] = ()  # What in the text is the reason
    seconds_spent: Annotated[float, msgspec.Meta(ge=0)] | None = None  # From shown to sent
    confidence: Probability | None = None  # As the person says
    note: Note | None = None  # For colleagues
    final_at: Instant  # Until then it may be taken back

    def __post_init__(self) -> None:
        if self.retraction is False and self.action is None:
            raise ValueError("`action` must not be null where `retraction` is false")


class ReviewRequested(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The router asks people."""

    schema: Literal["review_requested.v1"] = "review_requested.v1"
    event_id: EventId
    occurred_at: Instant
    task_id: TaskId
    source: Source
    item_id: ItemId
    revision: Revision
    decision_seq: DecisionSeq  # The number that the outcome will have
    purpose: Purpose  # audit: blind, and no outcome
    queue: Queue
    item: Item
    text_hash: TextHash | None = None
    scores: tuple[Score, ...] = ()
    explanation: tuple[Span, ...] = ()  # What in the text spoke for the scores
    selection: Selection
    severity: Annotated[float, msgspec.Meta(ge=0)]  # Of the worst category in question; 0 is harmless
    deadline: Instant  # Order of work: the earliest first
    expires_at: Instant  # When the policy's fallback decides
    votes_wanted: Annotated[int, msgspec.Meta(ge=1, le=9)]  # How many people must agree
    lease_seconds: Annotated[int, msgspec.Meta(ge=5, le=86400)]  # How long one person may hold it
    # All of these a person must have to be given it
    skills: tuple[Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9-]{0,39}\Z")], ...] = ()
    languages: tuple[Language, ...] = ()  # One of these they must read; empty: no matter
    # What people decide on a copy decides it: copies open in a queue are shown one at a time
    follows_text: bool = False
    replaces: TaskId | None = None  # The task that this one follows: an escalation or an appeal
    model_version: Version | None = None
    policy_version: Version | None = None
    accepted_at: Instant | None = None  # When Kafka appended the submission: age is counted from here
    run_id: RunId | None = None  # Set where past items are moderated again


class Vote(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A verdict that counted."""

    verdict_id: EventId
    reviewer: Person
    seat: Seat
    action: VerdictAction
    categories: tuple[Category, ...] = ()


class ReviewSettled(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What the votes on a task came to."""

    schema: Literal["review_settled.v1"] = "review_settled.v1"
    event_id: EventId
    occurred_at: Instant
    task_id: TaskId
    source: Source
    item_id: ItemId
    revision: Revision
    decision_seq: DecisionSeq
    purpose: Purpose
    queue: Queue
    agreed: bool  # False: the router asks the expert queue
    reason: ReasonCode  # agreed, split or escalated
    action: DecisionAction | None = None  # Null where not agreed
    categories: tuple[Category, ...] = ()
    agreement: Probability  # Share of the votes that are for the most common action
    votes: tuple[Vote, ...] = ()
    selection: Selection
    scores: tuple[Score, ...] = ()  # What the model had said
    text_hash: TextHash | None = None
    requested_at: Instant
    model_version: Version | None = None
    policy_version: Version | None = None
    accepted_at: Instant | None = None  # When Kafka appended the submission: age is counted from here
    run_id: RunId | None = None  # Set where past items are moderated again

    def __post_init__(self) -> None:
        if self.agreed is True and self.action is None:
            raise ValueError("`action` must not be null where `agreed` is true")
        if self.agreed is False and self.action is not None:
            raise ValueError("`action` must be null where `agreed` is false")


class Histogram(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Scores of one category."""

    category: Category
    # Items in each of 20 equal bins of [0, 1]
    counts: Annotated[tuple[Count, ...], msgspec.Meta(min_length=20, max_length=20)]


class OutcomeCount(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Outcomes of one kind."""

    outcome: ReasonCode  # allow, remove, review …
    basis: Annotated[str, msgspec.Meta(max_length=40)] | None = None
    count: Count


class ScoresSummarized(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What one worker saw in a few seconds."""

    schema: Literal["scores_summarized.v1"] = "scores_summarized.v1"
    event_id: EventId
    occurred_at: Instant
    service: Annotated[str, msgspec.Meta(pattern=r"^[a-z]{1,40}\Z")]  # classifier or router
    worker: Annotated[str, msgspec.Meta(max_length=100)]  # Service and slot
    window_start: Instant
    window_end: Instant
    model_version: Version | None = None
    tier: Tier | None = None  # Of the model; null for a router
    items: Count
    histograms: tuple[Histogram, ...] = ()
    outcomes: tuple[OutcomeCount, ...] = ()


class ShadowPair(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Items with this outcome live and that one by the candidate."""

    live: ReasonCode  # allow, limit, remove, review
    live_queue: Queue | None = None
    shadow: ReasonCode  # allow, limit, remove, review
    shadow_queue: Queue | None = None
    count: Count


class ShadowCounted(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What came of one batch of a worker, live and by the candidate: the denominators of shadow_differed."""

    schema: Literal["shadow_counted.v1"] = "shadow_counted.v1"
    event_id: EventId
    occurred_at: Instant
    worker: Annotated[str, msgspec.Meta(max_length=100)]  # Service and slot
    shadow_id: EventId  # Which trial: id of its policy_shadowed
    policy_version: Version | None = None  # Live
    shadow_version: Version  # The candidate
    items: Count  # That the candidate was asked about and had an answer for
    differed: Count  # Of these: each is a shadow_differed
    failed: Count = 0  # Items for which it raised an error
    # Items that it was not asked about: the worker was behind, or its time for this was spent
    skipped: Count = 0
    live_audited: Count = 0  # Of `items`: decided, and drawn for an audit
    shadow_audited: Count = 0  # The same by the candidate
    pairs: tuple[ShadowPair, ...] = ()  # All `items`, those that do not differ too


ShadowedAs = Literal["allow", "limit", "remove", "review"]  # review: people are asked


class ShadowOutcome(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a policy made of an item."""

    outcome: ShadowedAs  # review: people are asked
    queue: Queue | None = None  # Where people are asked
    categories: tuple[Category, ...] = ()  # Why, or in question
    # The threshold, rule or copy that decided, or why people are asked
    because: Annotated[str, msgspec.Meta(max_length=200)] | None = None
    audited: bool = False  # People look at it too, blind


Differs = Literal["outcome", "queue", "categories", "audited"]


class ShadowDiffered(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A candidate would have made something else of an item than the live policy did."""

    schema: Literal["shadow_differed.v1"] = "shadow_differed.v1"
    event_id: EventId
    occurred_at: Instant
    source: Source
    item_id: ItemId
    revision: Revision
    shadow_id: EventId  # Which trial: id of its policy_shadowed
    policy_version: Version | None = None  # That decided
    shadow_version: Version  # The candidate
    live: ShadowOutcome  # What was decided
    shadow: ShadowOutcome  # What the candidate says
    differs: tuple[Differs, ...]  # In what, the outcome first
    scores: tuple[Score, ...] = ()
    model_version: Version | None = None
    accepted_at: Instant | None = None  # When Kafka appended the submission


class TextDecided(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What people finally decided on a text; copies inherit it."""

    schema: Literal["text_decided.v1"] = "text_decided.v1"
    event_id: EventId
    occurred_at: Instant
    text_hash: TextHash
    source: Source
    item_id: ItemId
    revision: Revision
    decision_seq: DecisionSeq
    action: DecisionAction
    categories: tuple[Category, ...] = ()


Event = (
    AlarmRaised
    | AuditRecorded
    | ContentClassified
    | ContentDecided
    | ContentRemoderated
    | ContentReported
    | ContentSubmitted
    | ContentUncertain
    | DecisionAppealed
    | LabelRecorded
    | ModelReleased
    | PolicyReleased
    | PolicyShadowed
    | QualityMeasured
    | ReviewChanged
    | ReviewClosed
    | ReviewClustered
    | ReviewCompleted
    | ReviewRequested
    | ReviewSettled
    | ScoresSummarized
    | ShadowCounted
    | ShadowDiffered
    | TextDecided
)


# By the name and version of the schema
EVENTS: dict[str, type[Event]] = {
    "alarm_raised.v1": AlarmRaised,
    "audit_recorded.v1": AuditRecorded,
    "content_classified.v1": ContentClassified,
    "content_decided.v1": ContentDecided,
    "content_remoderated.v1": ContentRemoderated,
    "content_reported.v1": ContentReported,
    "content_submitted.v1": ContentSubmitted,
    "content_uncertain.v1": ContentUncertain,
    "decision_appealed.v1": DecisionAppealed,
    "label_recorded.v1": LabelRecorded,
    "model_released.v1": ModelReleased,
    "policy_released.v1": PolicyReleased,
    "policy_shadowed.v1": PolicyShadowed,
    "quality_measured.v1": QualityMeasured,
    "review_changed.v1": ReviewChanged,
    "review_closed.v1": ReviewClosed,
    "review_clustered.v1": ReviewClustered,
    "review_completed.v1": ReviewCompleted,
    "review_requested.v1": ReviewRequested,
    "review_settled.v1": ReviewSettled,
    "scores_summarized.v1": ScoresSummarized,
    "shadow_counted.v1": ShadowCounted,
    "shadow_differed.v1": ShadowDiffered,
    "text_decided.v1": TextDecided,
}
