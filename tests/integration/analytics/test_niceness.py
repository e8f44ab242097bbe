"""Analytics steps back behind the stream, with every thread that its engine has."""

import os
from pathlib import Path

from tests.integration.analytics.running import World


def test_threads_of_the_engine_are_as_nice_as_the_process(world: World) -> None:
    own = os.getpriority(os.PRIO_PROCESS, 0)
    with world.process("services.analytics", port=world.analytics_port) as running:
        threads = [int(each.name) for each in Path(f"/proc/{running.pid}/task").iterdir()]
        engine = [
            thread
            for thread in threads
            if Path(f"/proc/{running.pid}/task/{thread}/comm").read_text().strip() == "MergeMutate"
        ]
        assert engine
        assert {os.getpriority(os.PRIO_PROCESS, thread) for thread in engine} == {max(own, 5)}
        assert os.getpriority(os.PRIO_PROCESS, running.pid) == max(own, 5)
