"""What votes come to, as pure functions.

`receive` only adds an event to what is known of its task; `settle_due` settles when verdicts have become final. So the
result is a function of the set of request, verdicts, retractions and closings, never of their order of arrival.
"""

from services.adjudicator.core.adjudicating import adjudicate
from services.adjudicator.core.receiving import receive
from services.adjudicator.core.settling import settle_due
from services.adjudicator.core.state import Cast, ItemState, Step, TaskState

__all__ = ["Cast", "ItemState", "Step", "TaskState", "adjudicate", "receive", "settle_due"]
