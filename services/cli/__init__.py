"""The `sluicegate` command. Thin: every command calls a function of a service, of infra or of loadtests.

Consumes, produces and keeps nothing of its own: what a command publishes, the function that it calls declares.
"""
