"""What a report is made from: results of a campaign, each read once, damage named and left out."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from glasscreep.campaign.compatible import read_campaign
from glasscreep.campaign.opened import open_campaign
from glasscreep.campaign.selection_options import ALL, Selection
from glasscreep.campaign.states import State
from glasscreep.tasks.analysed import read_analysed
from glasscreep.tasks.errors import AbsentError, DamagedError, GlasscreepError
from glasscreep.tasks.looseness_results import LOOSENESS
from glasscreep.tasks.opening import open_readable
from glasscreep.tasks.places import LOOSENESS as LEARNT
from glasscreep.tasks.places import MODEL, STORE, run_directory
from glasscreep.tasks.reader import FrameReader
from glasscreep.tasks.registry import OBSERVABLES
from glasscreep.tasks.strain_results import STRAINS

LESSON = "report.json"
Point = tuple[float, float]
"""Temperature and stress."""


class NotThereError(GlasscreepError):
    """A campaign does not have what a figure is made from; says what computes it."""


@dataclass(frozen=True, slots=True)
class About:
    """What an array of the store says of itself."""

    name: str
    """Of the array."""
    units: str
    """As the store has them."""
    definition: str
    """What it is."""
    parameters: str
    """What its values depend on besides the frames, as JSON; nothing if on nothing."""


class Source:
    """The results of a campaign, and which of them figures speak of.

    Parameters
    ----------
    directory : Path
        Campaign directory, finished or still running; may be read-only. GlasscreepError if it
        is none.
    run : int, optional
        Row of the run whose particles are shown; by default the first finished run of the
        middle one of the points that have finished runs.
    frame : int, optional
        Frame of it; by default the last that has positions in the store.
    selection : Selection, optional
        Which runs the report is of; by default all.
    """

    def __init__(
        self,
        directory: Path,
        run: int | None = None,
        frame: int | None = None,
        selection: Selection = ALL,
    ) -> None:
        self.directory = directory
        self.selection = selection
        """Which runs it is of."""
        self._opened = selection.some_of(open_campaign(directory))
        self.runs = self._opened.runs
        self.campaign = read_campaign(directory)
        self.reader = FrameReader(directory / STORE)
        self.damage: dict[str, list[str]] = {}
        """What is damaged, by result."""
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
        """Take the run shown by its id or the beginning of that, as `query` does.

        Raises
        ------
        GlasscreepError
            If there is no campaign, no such run, or no such frame in the store.
        """
        chosen = selection.some_of(open_campaign(directory))
        source = cls(directory, None if run is None else chosen.row_of(run), frame, selection)
        there = source.frames_stored
        if frame is not None and frame >= there:
            msg = f"frame {frame} is not in the store; allowed: 0 to {there - 1}"
            raise AbsentError(msg if there else f"frame {frame} is not in the store: none is yet")
        return source

    @cached_property
    def run(self) -> int | None:
        """Row of the run whose particles are shown; None while no run has frames."""
        return self._middle_run() if self._run is None else self._run

    @cached_property
    def frame(self) -> int:
        """Frame of it that is shown; -1 while it has none in the store."""
        return self.frames_stored - 1 if self._frame is None else self._frame

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
        return self._analysed[self.reader.run_ids[self.run]].get(name, 0)

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
        path = self.directory / LEARNT / LESSON
        try:
            content: Mapping[str, Any] = json.loads(path.read_bytes())
        except FileNotFoundError:
            msg = (
                "nothing is learnt from this campaign yet: `glasscreep learn CAMPAIGN.toml --dir "
                "DIR` does it (it needs d2min in analysis.results)"
            )
            raise NotThereError(msg) from None
        except ValueError as error:
            msg = f"{path} is damaged: {error}. `glasscreep learn` writes it anew."
            raise DamagedError(msg) from error
        return content

    def has(self, name: str) -> bool:
        """Tell whether the store has an array."""
        return name in self._group

    def about(self, name: str) -> About:
        """Read what an array says of itself."""
        attributes = dict(self._group[name].attrs)
        parameters = attributes.get("parameters")
        return About(
            name=name,
            units=str(attributes.get("units", "")),
            definition=str(attributes.get("definition", attributes.get("long_name", ""))),
            parameters=json.dumps(parameters, sort_keys=True) if parameters else "",
        )

    def table(self, name: str, point: Point | None = None) -> pd.DataFrame:
        """Take what `query` has of a result, of all runs or of those of one point.

        What is damaged is left out, and `damage` says so, by the name of the result.

        Raises
        ------
        NotThereError
            If there is nothing of it; it says what computes it.
        """
        key = name, point
        if key not in self._tables:
            if not (self.has(name) or name in STRAINS):
                raise NotThereError(self._what_computes(name))
            self._tables[key] = self._read(name, point)
        table = self._tables[key]
        if table.empty:
            raise NotThereError(self._what_computes(name))
        return table

    def note_damage(self, name: str, error: DamagedError) -> None:
        """Keep what is damaged of a result, or of what else has a name, to be told."""
        self._note(name, str(error))

    def state_of(self, names: Iterable[str]) -> dict[str, Any]:
        """Say, as JSON, all that the values of results and files depend on.

        Parameters
        ----------
        names : iterable of str
            Arrays, or `report.json` for what was learnt.
        """
        state: dict[str, Any] = {}
        for name in names:
            if name == LESSON:
                state[name] = self._digest(LEARNT, LESSON)
                continue
            parameters = self.about(name).parameters if self.has(name) else ""
            state[name] = [parameters, self._progress(name)]
        return state

    @cached_property
    def model_digest(self) -> str:
        """SHA-256 of the model's file, or nothing."""
        return self._digest(LEARNT, MODEL)

    def _progress(self, name: str) -> list[Any]:
        """Say of each run how many frames of a result there are."""
        is_committed = name in (*STRAINS, "position")
        return [
            [run_id, int(frames) if is_committed else self._analysed[run_id].get(name, 0)]
            for run_id, frames in zip(self.runs["id"], self.runs["frames"], strict=True)
        ]

    @cached_property
    def _analysed(self) -> dict[str, dict[str, int]]:
        """How many frames of each result of each run are analysed."""
        return {
            run_id: {
                # A result may have several arrays, named after it.
                array: int(known["frames"])
                for name, known in read_analysed(
                    run_directory(self.directory, run_id)
                ).results.items()
                for array in (name, f"{name}_surrogate")
            }
            for run_id in self.runs["id"]
        }

    def _note(self, name: str, told: str) -> None:
        known = self.damage.setdefault(name, [])
        if told not in known:
            known.append(told)

    def _digest(self, *parts: str) -> str:
        path = self.directory.joinpath(*parts)
        return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""

    def _read(self, name: str, point: Point | None) -> pd.DataFrame:
        read = self._opened.select(*(point or ())).read_table(name)
        for told in read.damaged:
            self._note(name, told)
        return read.table

    def _what_computes(self, name: str) -> str:
        if name in self.damage:
            return f"nothing undamaged is there of {name}: {'; '.join(self.damage[name])}"
        observable = max(
            (known for known in OBSERVABLES if name == known or name.startswith(f"{known}_")),
            key=len,
        )
        asked = observable in self.campaign.analysis.results
        if asked and LOOSENESS in name and self.campaign.awaits_model(self.directory):
            return (
                f"{name} awaits a model: `glasscreep learn CAMPAIGN.toml --dir DIR`, "
                "then `glasscreep run` with the same file"
            )
        if asked and self.has(name):
            return f"nothing of {name} is computed yet; `glasscreep run CAMPAIGN.toml` goes on"
        return (
            f'{name} is not asked for: add "{observable}" to results in [analysis] of the campaign '
            "file (and what it is computed from), then `glasscreep run CAMPAIGN.toml`"
        )

    def _middle_run(self) -> int | None:
        done = self.runs[self.runs["state"] == State.DONE.name.lower()]
        chosen = done if len(done) else self.runs[self.runs["frames_stored"] > 0]
        chosen = chosen if len(chosen) else self.runs[self.runs["frames"] > 0]
        if chosen.empty:
            return None
        points = chosen[["temperature", "stress"]].drop_duplicates()
        temperature, stress = points.sort_values(["temperature", "stress"]).iloc[len(points) // 2]
        own = chosen[(chosen["temperature"] == temperature) & (chosen["stress"] == stress)]
        return int(own.index[0])


def over_replicas(table: pd.DataFrame, by: list[str], value: str) -> pd.DataFrame:
    """Average over replicas, each having its own mean first.

    Returns
    -------
    pandas.DataFrame
        Columns `by`, then ``mean``, ``stderr``, the standard error of it (nan of one replica),
        and ``replicas``.
    """
    own = table.groupby([*by, "replica"], sort=True)[value].mean()
    groups = own.groupby(level=list(range(len(by))))
    result = groups.agg(["mean", "std", "count"]).reset_index()
    result["stderr"] = result["std"] / np.sqrt(result["count"])
    result["replicas"] = result["count"]
    return result[[*by, "mean", "stderr", "replicas"]]
