"""Writing runs to files for other programs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from glasscreep.campaign.export_names import output_paths
from glasscreep.campaign.frame_choice import Choice, chosen_frames, frame_choice
from glasscreep.campaign.live import telling_progress
from glasscreep.campaign.opened import open_campaign
from glasscreep.campaign.problems import RefusedError
from glasscreep.campaign.table_files import demand_free
from glasscreep.campaign.terminal import say
from glasscreep.tasks.errors import AbsentError, DamagedError
from glasscreep.tasks.files import reading
from glasscreep.tasks.frame_files import FORMATS, Format, writing_frames
from glasscreep.tasks.places import STORE
from glasscreep.tasks.reader import FrameReader
from glasscreep.tasks.stored_frames import StoredFrames

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Export:
    """What is to be written of a campaign, and to where."""

    directory: Path
    """Campaign directory."""
    form: str
    """One of `FORMATS`."""
    output: Path | None = None
    """A file, a pattern, or a folder; None for the current folder."""
    runs: tuple[str, ...] = ()
    """Ids, or beginnings of ids; none for all."""
    temperature: float | None = None
    """Only runs at this temperature [energy]."""
    stress: float | None = None
    """Only runs under this stress [energy / length**3]."""
    replica: int | None = None
    """Only runs of this replica."""
    frames: str | None = None
    """As `frame_choice` takes it; None for all in the store."""
    columns: tuple[str, ...] = ()
    """Results of particles to write with the positions."""
    unwrapped: bool = False
    """Whether to follow positions through the boundaries of the box."""
    force: bool = False
    """Whether files that are there may be replaced."""


@dataclass(frozen=True, slots=True)
class _File:
    """One file to write."""

    path: Path
    """Where."""
    frames: StoredFrames
    """Of one run."""
    numbers: Sequence[int]
    """Which of its frames."""


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is to be written, and what is not."""

    files: list[_File]
    """One a run."""
    waiting: list[str]
    """Runs that have no frame in the store yet."""
    damaged: list[str]
    """What is damaged of each run that is left out for that."""


def export(asked: Export, console: Console) -> list[str]:
    """Write runs to files, one each, frame by frame.

    Parameters
    ----------
    asked : Export
        What, and to where.
    console : Console
        Where progress, and each file that is written, are shown.

    Returns
    -------
    list of str
        What is damaged of each run that is left out; the files of the others are there, and whole.

    Raises
    ------
    RefusedError
        If what is asked for can't be; nothing was written.
    AbsentError
        If runs, frames or results are not there; nothing was written.
    GlasscreepError
        If a file can't be written; those before it are there.
    """
    form = FORMATS[asked.form]
    _demand_held(asked, form)
    plan = _plan(asked, form)
    damaged = list(plan.damaged)
    for file in plan.files:
        demand_free(file.path, replace=asked.force)
    with telling_progress(console, "reading") as tell:
        for file in plan.files:
            try:
                _write(file, form, tell)
            except DamagedError as error:
                damaged.append(str(error))
            else:
                say(console, _told(file))
    if plan.waiting:
        waiting = ", ".join(plan.waiting)
        say(console, f"left out, as they have no frames in the store yet: {waiting}")
    return damaged


def _told(file: _File) -> str:
    text = f"{file.path}: {_counted(len(file.numbers))} of run {file.frames.run_id}"
    waiting = file.frames.committed - file.frames.stored
    return text + (f"; {waiting} more are not in the store yet" if waiting else "")


def _demand_held(asked: Export, form: Format) -> None:
    """Refuse what a format can't hold."""
    able = [name for name, other in FORMATS.items() if other.has_columns]
    if asked.columns and not form.has_columns:
        msg = (
            f"--with {','.join(asked.columns)}: {form.title} holds no results of particles. Choose "
            f"--format {', '.join(able)}, or leave --with out."
        )
        raise RefusedError(msg)
    if asked.unwrapped and not form.has_unwrapped:
        msg = (
            f"--unwrapped: {form.title} has all particles in the box, and the images that unwrap "
            "them, in any case. Leave it out, or choose --format extxyz, dump or h5md."
        )
        raise RefusedError(msg)


def _plan(asked: Export, form: Format) -> _Plan:
    store = open_campaign(asked.directory).directory / STORE
    reader, choice = FrameReader(store), frame_choice(asked.frames)
    table, ids = _chosen_runs(asked), reader.run_ids
    plan, runs, found = _Plan([], [], []), [], []
    for row, run in zip(table.index.tolist(), table.itertuples(), strict=True):
        try:
            with reading(store):
                frames = StoredFrames(reader, row, asked.columns, unwrapped=asked.unwrapped)
        except DamagedError as error:
            plan.damaged.append(str(error))
            continue
        if not frames.stored and len(table) > 1 and not asked.runs:
            plan.waiting.append(ids[row])
            continue
        runs.append(run)
        found.append((frames, _numbers(frames, choice, form)))
    if not runs and not plan.damaged:
        msg = (
            f"none of the {len(table)} runs chosen has a frame in the store yet: positions come "
            "when a file of frames is full, or the run ends. `glasscreep status` tells how far "
            "they are."
        )
        raise AbsentError(msg)
    paths = output_paths(runs, form, asked.output)
    plan.files.extend(_File(path, *known) for path, known in zip(paths, found, strict=True))
    return plan


def _numbers(frames: StoredFrames, choice: Choice, form: Format) -> Sequence[int]:
    numbers = chosen_frames(frames, choice)
    if len(numbers) > 1 and not form.has_many_frames:
        msg = (
            f"{form.title} holds one frame, and of run {frames.run_id} {len(numbers)} are chosen. "
            "Give --frames last, or the number of one."
        )
        raise RefusedError(msg)
    frames.demand_results(numbers)
    return numbers


def _chosen_runs(asked: Export) -> "pd.DataFrame":
    campaign = open_campaign(asked.directory).select(asked.temperature, asked.stress, asked.replica)
    if not asked.runs:
        return campaign.runs
    return campaign.runs.loc[sorted({campaign.row_of(run) for run in asked.runs})]


def _write(file: _File, form: Format, tell: Callable[[str], None]) -> None:
    total = len(file.numbers)
    with writing_frames(file.path, form, file.frames.contents) as write:
        for done, number in enumerate(file.numbers, 1):
            with reading(file.frames.reader.store):
                frame = file.frames.frame(number)
            write(frame)
            tell(f"{file.path.name}: {done} of {_counted(total)}")


def _counted(frames: int) -> str:
    return "1 frame" if frames == 1 else f"{frames} frames"
