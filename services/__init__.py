"""Sluicegate: event-driven streaming moderation with people in the loop."""
