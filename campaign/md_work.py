"""The work of a real campaign: glasses and segments of LAMMPS, and the analysis of their frames."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from glasscreep.campaign.grid import Glass, Run
from glasscreep.campaign.scan import keep_failure
from glasscreep.campaign.work import Call
from glasscreep.tasks.analyse import analyse_block
from glasscreep.tasks.blocks import AnalysisTask, ready_blocks
from glasscreep.tasks.manifest import read_manifest
from glasscreep.tasks.observable import Result
from glasscreep.tasks.places import glass_directory, run_directory
from glasscreep.tasks.segment import GlassTask, Outcome, SegmentTask, run_segment
from glasscreep.tasks.settings import Wanted


@dataclass(frozen=True, slots=True)
class MdWork:
    """Calls for the rows of one campaign directory."""

    directory: Path
    """Campaign directory."""
    glasses: Sequence[Glass]
    """By row of the store's glasses."""
    runs: Sequence[Run | None]
    """By row of the store; None where the campaign file no longer asks for the run."""
    glass_rows: Sequence[int]
    """Row of the glass of each run."""
    frames: int
    """Frames of every run."""
    segment_frames: int
    """Frames of a segment."""
    frame_interval: int
    """From frame to frame [steps]."""
    results: tuple[Result, ...]
    """What to compute from the frames."""
    launch: tuple[str, ...]
    """What to put before the command of an MD process."""
    environment: dict[str, str]
    """Environment of an MD process."""
    settings: Wanted
    """What is decided of the settings of LAMMPS."""

    def glass(self, glass: int, attempt: int) -> Call:
        """Make a glass."""
        task = GlassTask(
            physics=self.glasses[glass].physics,
            directory=str(self.directory),
            row=glass,
            attempt=attempt,
            launch=self.launch,
            environment=self.environment,
            settings=self.settings,
        )
        return Call(run_segment, task)

    def segment(self, run: int, attempt: int, frames: int) -> Call:
        """Do the next segment of a run."""
        task = SegmentTask(
            physics=self._run(run).physics,
            directory=str(self.directory),
            row=run,
            attempt=attempt,
            launch=self.launch,
            environment=self.environment,
            settings=self.settings,
            frames_wanted=self.frames,
            stop_after=min(frames + self.segment_frames, self.frames),
        )
        return Call(run_segment, task)

    def analysis(self, run: int) -> Iterator[Call]:
        """Analyse, block by block, the frames of a run that are in the store."""
        manifest = read_manifest(run_directory(self.directory, self._run(run).id))
        if manifest is None:
            return
        task = AnalysisTask(
            directory=str(self.directory),
            run_id=self._run(run).id,
            row=run,
            glass_row=self.glass_rows[run],
            results=self.results,
            frame_interval=self.frame_interval,
            frames_wanted=self.frames,
        )
        for block in ready_blocks(task, manifest.frames, manifest.flushed):
            yield Call(analyse_block, block, block.names, block.needs)

    def failed(self, run: int, outcome: Outcome) -> None:
        """Keep why a run failed, beside its manifest."""
        keep_failure(run_directory(self.directory, self._run(run).id), outcome)

    def glass_failed(self, glass: int, outcome: Outcome) -> None:
        """Keep why a glass failed, beside its manifest."""
        keep_failure(glass_directory(self.directory, self.glasses[glass].id), outcome)

    def _run(self, row: int) -> Run:
        run = self.runs[row]
        if run is None:
            msg = f"row {row} of the store holds a run that the campaign file does not ask for"
            raise LookupError(msg)
        return run
