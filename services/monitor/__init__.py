"""Consumes verdicts, settlements, labels and score summaries, and what policy is live and which alarms stand.
Produces quality.measured, and alarm.raised where model and people part; an alarm is recounted exactly before.
Keeps counts of the last panes of time in Faust tables. These are statistics: nothing that must not be lost is here.
"""

CONSUMES = (
    "review.completed",
    "review.settled",
    "label.recorded",
    "scores.summarized",
    "policy.released",
    "alarm.raised",
)
PRODUCES = ("quality.measured", "alarm.raised")
