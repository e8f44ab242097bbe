"""What requests carry."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from services.events.types import Span
from services.review.verdicts import Opinion

CATEGORY = r"^[a-z][a-z0-9_]{0,39}$"
Category = Annotated[str, Field(pattern=CATEGORY)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Login(_Body):
    """`bearer`: answer a token for scripts, and set no cookie."""

    name: str = Field(max_length=100)
    password: str = Field(max_length=1000)
    bearer: bool = False


class Claim(_Body):
    """`at_hand`: tasks that the client has already; another is given."""

    at_hand: list[Annotated[str, Field(max_length=300)]] = Field(default=[], max_length=20)


class Held(_Body):
    """A lease."""

    token: str = Field(max_length=200)


class HeldTask(Held):
    """A lease, its task named in the body: any item id is safe there."""

    task_id: str = Field(max_length=300)


class Rationale(_Body):
    """A part of the text, in characters."""

    start: int = Field(ge=0)
    end: int = Field(ge=1)
    category: Category | None = None


class Verdict(_Body):
    """What a person decides."""

    token: str = Field(max_length=200)
    action: Literal["allow", "limit", "remove", "escalate"]
    categories: list[Category] = Field(default=[], max_length=50)
    spans: list[Rationale] = Field(default=[], max_length=200)
    seconds_spent: float | None = Field(default=None, ge=0, le=86_400, allow_inf_nan=False)
    confidence: float | None = Field(default=None, ge=0, le=1)
    note: str | None = Field(default=None, max_length=4000)

    def opinion(self) -> Opinion:
        """As the event has it."""
        return Opinion(
            self.action,
            tuple(dict.fromkeys(self.categories)),
            tuple(Span(start=each.start, end=each.end, category=each.category) for each in self.spans),
            self.seconds_spent,
            self.confidence,
            self.note or None,
        )


class TaskVerdict(Verdict):
    """The same, the task named in the body."""

    task_id: str = Field(max_length=300)
