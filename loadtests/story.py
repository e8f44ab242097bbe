"""The demo's story: posts flow, a campaign begins that the model does not know, people find it, the model learns it."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from loadtests.clickhouse import Difference
from loadtests.figures import AFTER, BEFORE, MEANWHILE, Figures
from loadtests.judge import Report
from loadtests.moderators import Habits
from loadtests.play import Play
from loadtests.posts import Post, campaign, posts
from loadtests.rig import Rig
from loadtests.waiting import until

REGULAR, MIXED = 1000, 150  # posts before the campaign, and with each of its waves
WAVES = (550, 200, 200)
RATE = 120  # posts a second
SEED = 7


@dataclass
class Told:
    """How it ended."""

    figures: Figures
    report: Report
    starter: str  # model versions
    retrained: str
    alarms: list[str] = field(default_factory=list)
    clickhouse: list[Difference] = field(default_factory=list)


class Story:
    """Tells it on a stack that is up, with progress on `console`."""

    def __init__(self, rig: Rig, console: Console) -> None:
        self._rig = rig
        self._console = console
        self._draw = random.Random(SEED)
        self._regular = iter(posts(REGULAR + 3 * MIXED, SEED))
        self._campaign = iter(campaign(sum(WAVES), SEED))

    def tell(self) -> Told:
        """Plays it to its end. Raises NotInTime with what did not happen."""
        rig = self._rig
        starter = until("a model to be live", lambda: rig.follow.models, 30)[-1].model_version
        with Watch(rig, self._console) as watch:
            rig.shift(habits=Habits())
            watch.chapter("posts arrive over HTTP and straight through Kafka; moderators work the queues")
            self._play(self._some(REGULAR), watch)
            watch.chapter("a campaign begins that the model has never seen: its first wave")
            self._play(self._mixed(BEFORE, WAVES[0]), watch)
            watch.chapter("people decide what the model was not sure of")
            rig.settled(90)
            self._retrain(watch)
            watch.chapter("the second wave: much of it now looks odd to the model, and goes to people")
            self._play(self._mixed(MEANWHILE, WAVES[1]), watch)
            rig.settled(90)
            self._retrain(watch)
            watch.chapter("the third wave")
            self._play(self._mixed(AFTER, WAVES[2]), watch)
            rig.settled(90)
            watch.chapter("everything is settled; counting, independently")
        alarms = [f"{alarm.category}: {alarm.reason}" for alarm in rig.follow.alarms if alarm.active]
        differences = rig.clickhouse(60)
        live = rig.live()
        return Told(rig.figures(), rig.count(), starter, live, alarms, differences)

    def leave_work(self, number: int = 20) -> None:
        """Posts for whoever opens the console: unclear ones, so that there is something to decide."""
        unclear = campaign(number, SEED + 1, prefix="for-you")
        self._rig.player.play([_play(post, "for you") for post in unclear])

    def _retrain(self, watch: Watch) -> None:
        """On all labels so far, unless the retrainer has done so by itself; a release is waited for."""
        training = self._rig.retrain()
        watch.chapter(f"retrained on {training['labels']} labels: {training['state']}, {training['reason']}")
        if training["state"] == "released":
            until(
                f"{training['candidate']} to be on model.released",
                lambda: self._rig.follow.models[-1].model_version == training["candidate"],
                30,
            )

    def _some(self, number: int) -> list[Play]:
        """Regular posts; some go straight to Kafka, some come again, are edited or taken back."""
        plays: list[Play] = []
        for count in range(number):
            play = _play(next(self._regular), "regular")
            play = replace(play, via="kafka" if count % 6 == 0 else "http")
            plays.append(play)
            if count % 40 == 11:
                plays.append(play)
            if count % 40 == 21:
                plays.append(replace(play, revision=2, kind="edit", text=f"{play.text} (edited)"))
            if count % 40 == 31:
                plays.append(replace(play, kind="withdrawal"))
        return plays

    def _mixed(self, part: str, size: int) -> list[Play]:
        plays = [_play(next(self._campaign), part) for _ in range(size)]
        plays += [_play(next(self._regular), "regular") for _ in range(MIXED)]
        self._draw.shuffle(plays)
        return plays

    def _play(self, plays: Sequence[Play], watch: Watch) -> None:
        watch.expect(len(plays))
        self._rig.player.play(plays, RATE, batch=20)


def _play(post: Post, part: str) -> Play:
    return Play(post.item_id, post.text, post.labels, part=part)


class Watch:
    """Progress on the console while the story goes on."""

    def __init__(self, rig: Rig, console: Console) -> None:
        self._rig = rig
        self._wanted = 0
        self._stopping = threading.Event()
        self._progress = Progress(
            TextColumn("{task.description:<22}"),
            BarColumn(30),
            TextColumn("{task.completed:>5.0f} {task.fields[note]}"),
            TimeElapsedColumn(),
            console=console,
        )
        self._bars: list[tuple[TaskID, Callable[[], tuple[int, int, str]]]] = [
            (self._bar("published"), self._published),
            (self._bar("decided by machine"), self._machine),
            (self._bar("decided by people"), self._people),
        ]
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)

    def chapter(self, text: str) -> None:
        """What happens now."""
        self._progress.console.print(f"[bold]·[/bold] {text}")

    def expect(self, number: int) -> None:
        """So many posts more are going to be published."""
        self._wanted += number

    def __enter__(self) -> Watch:
        self._progress.start()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join(10)
        self._progress.stop()

    def _bar(self, what: str) -> TaskID:
        return self._progress.add_task(what, total=1, note="")

    def _run(self) -> None:
        while not self._stopping.wait(0.5):
            self._report = self._rig.follow.report()
            for task, look in self._bars:
                completed, total, note = look()
                self._progress.update(task, completed=completed, total=max(total, 1), note=note)

    def _published(self) -> tuple[int, int, str]:
        return self._rig.player.published, self._wanted, f"of {self._wanted}"

    def _machine(self) -> tuple[int, int, str]:
        return self._report.outcomes["machine"], self._report.published, ""

    def _people(self) -> tuple[int, int, str]:
        settled, waiting = self._report.outcomes["people"], self._rig.follow.open_tasks()
        return settled, settled + waiting, f"({waiting} waiting, {self._report.labels} labels)"
