"""The whole of Sluicegate on one machine, on loopback: Kafka, Redis and every service under one supervisor.

`python -m infra.local up | down | status | restart`. In code: `Stack(StackSettings()).up()`; `Kafka` and `Redis` alone
serve the tests.
"""
