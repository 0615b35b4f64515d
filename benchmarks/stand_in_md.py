"""Segments that cost nothing, but look like those of LAMMPS to whoever hands them out."""

from collections.abc import Iterator

from distributed import get_worker

from glasscreep.campaign.md_work import MdWork
from glasscreep.campaign.work import Call
from glasscreep.tasks.physics import identity
from glasscreep.tasks.segment import Outcome
from glasscreep.tasks.task import SegmentTask, Task


def pretend(task: Task) -> Outcome:
    """Tell of one commit, as an MD process would, and end well."""
    physics_id = identity(task.physics)
    frames, kind = 0, "done"
    if isinstance(task, SegmentTask):
        frames = task.stop_after
        kind = "done" if frames == task.frames_wanted else "partial"
    event = {
        "event": "progress",
        "id": physics_id,
        "frames": frames,
        "step": 1000 * frames,
        "unrelaxed": 0,
        "particle_steps_per_s": 2e6,
    }
    get_worker().log_event("progress", event)
    return Outcome(physics_id, kind, frames, 1000 * frames, "", "", task.attempt)


class StandInMd(MdWork):
    """The work of a real campaign, its MD left out, and its analyses."""

    def glass(self, glass: int, attempt: int) -> Call:
        """Pretend to make a glass."""
        return Call(pretend, super().glass(glass, attempt).argument)

    def segment(self, run: int, attempt: int, frames: int) -> Call:
        """Pretend to do a segment."""
        return Call(pretend, super().segment(run, attempt, frames).argument)

    def analysis(self, run: int) -> Iterator[Call]:
        """Analyse nothing."""
        yield from ()
