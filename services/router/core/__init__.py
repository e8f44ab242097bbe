"""What happens to an item, as pure functions: `classify`, `settle`, `go_on` and `expire` take an event or the time, the
item's state and the live policy, and return a Step: the next state and the events that follow.
"""

from services.router.core.classifying import classify, go_on
from services.router.core.expiring import expire
from services.router.core.settling import settle
from services.router.core.state import ItemState, Step, Task

__all__ = ["ItemState", "Step", "Task", "classify", "expire", "go_on", "settle"]
