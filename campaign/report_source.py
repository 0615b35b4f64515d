"""What a report is made from: results of a campaign, each read once, damage named and left out."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glasscreep.campaign.compatible import read_campaign
from glasscreep.campaign.opened import OpenedCampaign, open_campaign
from glasscreep.campaign.replicas import POINT
from glasscreep.campaign.report_about import About, about_array
from glasscreep.campaign.report_advice import what_computes
from glasscreep.campaign.report_choice import middle_run, of_interest
from glasscreep.campaign.report_files import Files
from glasscreep.campaign.report_lesson import read_lesson
from glasscreep.campaign.report_progress import Progress
from glasscreep.campaign.run_list import asked_for, run_table
from glasscreep.campaign.selection_options import ALL, Selection
from glasscreep.tasks.errors import AbsentError, DamagedError
from glasscreep.tasks.looseness_results import LOOSENESS
from glasscreep.tasks.opening import open_readable
from glasscreep.tasks.places import LESSON, STORE
from glasscreep.tasks.reader import FrameReader
from glasscreep.tasks.run_columns import damaged_run_columns
from glasscreep.tasks.strain_results import STRAINS

Point = tuple[float, float]
"""Temperature and stress."""


class Source:
    """The results of a campaign, and which of them figures speak of.

    Parameters
    ----------
    chosen : OpenedCampaign
        The campaign, finished or still running, and those of its runs that the report is of.
    run : int, optional
        Row of the run whose particles are shown; by default the first finished run of the
        middle one of the points that have finished runs.
    frame : int, optional
        Frame of it; by default the last that has positions in the store.
    selection : Selection, optional
        How these runs were chosen; by default they are all.
    """

    def __init__(
        self,
        chosen: OpenedCampaign,
        run: int | None = None,
        frame: int | None = None,
        selection: Selection = ALL,
    ) -> None:
        self.directory = directory = chosen.directory
        self.selection = selection
        """Which runs it is of."""
        self._opened = chosen
        self.campaign = read_campaign(directory)
        self.chosen = chosen.runs
        """All that were chosen, also those that have no frames and are no longer asked for."""
        self.runs = of_interest(self.chosen, self.campaign, run)
        """Those that are asked for, or have frames; as of `OpenedCampaign.runs`."""
        self.asked: NDArray[np.bool_] = asked_for(self.campaign, self.runs)
        """(runs,) which of them the campaign file asks for, as it stands."""
        self.reader = FrameReader(directory / STORE)
        self.damage: dict[str, list[str]] = {}
        """What is damaged, by result."""
        for name, error in damaged_run_columns(self.reader).items():
            self.note_damage(name, error)
        self._group = open_readable(directory / STORE)
        self._tables: dict[tuple[str, Point | None], pd.DataFrame] = {}
        self._run, self._frame = run, frame

    @classmethod
    def of(
        cls,
        directory: Path,
        run: str | None = None,
        frame: int | None = None,
        selection: Selection = ALL,
    ) -> "Source":
        """Open a campaign, choose runs, and take the one shown by its id, as `query` does.

        Parameters
        ----------
        directory : Path
            Campaign directory; may be read-only.
        run : str, optional
            Id of the run shown, or how it begins.
        frame : int, optional
            Frame of it.
        selection : Selection, optional
            Which runs the report is of; by default all.

        Raises
        ------
        GlasscreepError
            If there is no campaign, no run is chosen, there is no such one among them, or no such
            frame in the store.
        """
        chosen = selection.some_of(replace(open_campaign(directory), mend=True))
        source = cls(chosen, None if run is None else chosen.row_of(run), frame, selection)
        if frame is not None and frame >= (there := source.frames_stored):
            msg = f"frame {frame} is not in the store; allowed: 0 to {there - 1}"
            raise AbsentError(msg if there else f"frame {frame} is not in the store: none is yet")
        return source

    @cached_property
    def run(self) -> int | None:
        """Row of the run whose particles are shown; None while no run has frames."""
        return middle_run(self.runs) if self._run is None else self._run

    @cached_property
    def frame(self) -> int:
        """Frame of it that is shown; -1 while it has none in the store."""
        return self.frames_stored - 1 if self._frame is None else self._frame

    @property
    def glass_rows(self) -> list[int]:
        """Rows of the glasses that the runs start from, in order."""
        rows = run_table(self.directory, mend=True)["glass_row"]
        return sorted(set(rows[self.runs.index]))

    @cached_property
    def points(self) -> tuple[Point, ...]:
        """Points with committed frames, by temperature and then by stress."""
        begun = self.runs[self.runs["frames"] > 0]
        pairs = zip(begun["temperature"], begun["stress"], strict=True)
        return tuple(sorted({(float(temperature), float(stress)) for temperature, stress in pairs}))

    @cached_property
    def point(self) -> Point | None:
        """The point that figures of a single one show: that of the run shown, if there is one."""
        if self.run is None:
            return None
        row: Any = self.runs.loc[self.run]
        return float(row["temperature"]), float(row["stress"])

    @property
    def point_name(self) -> str:
        """That point in words."""
        return "shown" if self.point is None else _in_words(self.runs.loc[self.run], POINT)

    @property
    def run_name(self) -> str:
        """The run shown in words."""
        if self.run is None:
            return "the run shown"
        row = self.runs.loc[self.run]
        return f"run {row['id']} ({_in_words(row, [*POINT, 'replica'])})"

    def frame_name(self, frame: int) -> str:
        """Say which frame of the run shown it is, and of which time."""
        return f"Frame {frame} of {self.run_name}, at time {self.time(frame):g}"

    @property
    def frame_time(self) -> float:
        """Time from one frame to the next [time]."""
        return float(self.campaign.creep.frame_interval * self.campaign.model.timestep)

    def time(self, frame: int) -> float:
        """Time under load of a frame [time]."""
        return (frame + 1) * self.frame_time

    @cached_property
    def frames_stored(self) -> int:
        """How many frames of the run shown have positions in the store; 0 if that is damaged."""
        if self.run is None:
            return 0
        try:
            return self.reader.manifest(self.run).flushed
        except DamagedError as error:
            self.note_damage("position", error)
            return 0

    def frames_analysed(self, name: str) -> int:
        """Count the frames of the run shown that a result is computed of."""
        if self.run is None:
            return 0
        return self.progress.frames_analysed(self.reader.run_ids[self.run], name)

    @cached_property
    def progress(self) -> Progress:
        """How far each result of each run is."""
        return Progress(self.directory, self.runs)

    @cached_property
    def _files(self) -> Files:
        return Files(self.reader, self.runs.index)

    @cached_property
    def interval(self) -> int:
        """Interval of D2min that figures speak of: that which is learnt, or the shortest [steps]."""
        intervals = self.campaign.d2min_intervals
        shortest = intervals[0] if intervals else self.campaign.creep.frame_interval
        return self.campaign.learning.interval or shortest

    @cached_property
    def field(self) -> str:
        """Field that correlations are of: looseness, or else D2min of the interval."""
        has_looseness = any(name.endswith(f"_{LOOSENESS}") for name in self._group.array_keys())
        return LOOSENESS if has_looseness else f"d2min_{self.interval}"

    @cached_property
    def system(self) -> str:
        """System of units, by LAMMPS's name."""
        return str(self.campaign.model.units)

    @cached_property
    def lesson(self) -> Mapping[str, Any]:
        """What `glasscreep learn` found."""
        lesson = read_lesson(self.directory)
        if lesson is None:
            msg = (
                "nothing is learnt from this campaign yet: `glasscreep learn CAMPAIGN.toml --dir "
                "DIR` does it (it needs d2min in analysis.results)"
            )
            raise AbsentError(msg)
        return lesson

    def has(self, name: str) -> bool:
        """Tell whether the store has an array."""
        return name in self._group

    def about(self, name: str) -> About:
        """Read what an array says of itself."""
        return about_array(self._group, name)

    def table(self, name: str, point: Point | None = None) -> pd.DataFrame:
        """Take what `query` has of a result, of all runs or of those of one point.

        What is damaged is left out, and `damage` says so, by the name of the result.

        Raises
        ------
        AbsentError
            If there is nothing of it; it says what computes it.
        """
        key = name, point
        if key not in self._tables:
            if not (self.has(name) or name in STRAINS):
                raise AbsentError(self._what_computes(name))
            self._tables[key] = self._read(name, point)
        table = self._tables[key]
        if table.empty:
            raise AbsentError(self._what_computes(name))
        return table

    def note_damage(self, name: str, error: DamagedError) -> None:
        """Keep what is damaged of a result, or of what else has a name, to be told."""
        self._note(name, str(error))

    def state_of(self, names: Iterable[str]) -> dict[str, Any]:
        """Say, as JSON, all that the values of results and files depend on.

        Parameters
        ----------
        names : iterable of str
            Arrays, or `LESSON` for what was learnt.
        """
        return {
            name: self.progress.lesson_digest
            if name == LESSON
            else [
                self.about(name).parameters if self.has(name) else "",
                self.progress.of(name),
                self._files.digest(name),
            ]
            for name in names
        }

    def _note(self, name: str, told: str) -> None:
        known = self.damage.setdefault(name, [])
        if told not in known:
            known.append(told)

    def _read(self, name: str, point: Point | None) -> pd.DataFrame:
        read = self._opened.select(*(point or ())).read_table(name)
        for told in read.damaged:
            self._note(name, told)
        return read.table

    def _what_computes(self, name: str) -> str:
        if name in self.damage:
            return f"nothing undamaged is there of {name}: {'; '.join(self.damage[name])}"
        return what_computes(name, self.campaign, self.directory, is_there=self.has(name))


def _in_words(row: Any, names: Sequence[str]) -> str:
    return ", ".join(f"{name} {row[name]:g}" for name in names)
