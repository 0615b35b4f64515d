"""Writing runs to files for other programs."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console

from glasscreep.campaign.export_names import output_paths
from glasscreep.campaign.frame_choice import LAST, Choice, chosen_frames, frame_choice
from glasscreep.campaign.live import telling_progress
from glasscreep.campaign.no_more import no_more_comes, why_no_more
from glasscreep.campaign.opened import open_campaign
from glasscreep.campaign.outputs import demand_free
from glasscreep.campaign.problems import RefusedError
from glasscreep.campaign.selection_options import ALL, Selection
from glasscreep.campaign.terminal import count_of, say
from glasscreep.tasks.errors import AbsentError, DamagedError
from glasscreep.tasks.files import reading
from glasscreep.tasks.frame_files import FORMATS, Format, writing_frames
from glasscreep.tasks.places import STORE
from glasscreep.tasks.reader import FrameReader
from glasscreep.tasks.stored_frames import StoredFrames


@dataclass(frozen=True, slots=True)
class Export:
    """What is to be written of a campaign, and to where."""

    directory: Path
    """Campaign directory."""
    form: str
    """One of `FORMATS`."""
    output: Path | None = None
    """A file, a pattern, or a folder; None for the current folder."""
    selection: Selection = ALL
    """Which runs."""
    frames: str | None = None
    """As `frame_choice` takes it; None for all in the store."""
    columns: tuple[str, ...] = ()
    """Results of particles to write with the positions."""
    unwrapped: bool = False
    """Whether to follow positions through the boundaries of the box."""
    overwrite: bool = False
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

    runs: list[Any] = field(default_factory=list)
    """Rows of the table of runs."""
    found: list[tuple[StoredFrames, Sequence[int]]] = field(default_factory=list)
    """Of each of these runs, its frames, and which of them."""
    waiting: list[int] = field(default_factory=list)
    """Rows of the runs that have no frame in the store, of which none was named."""
    absent: list[str] = field(default_factory=list)
    """What is not there of each run that is left out for that."""
    damaged: list[str] = field(default_factory=list)
    """What is damaged of each run that is left out for that."""

    @property
    def chosen(self) -> int:
        """How many runs were asked for."""
        return sum(map(len, (self.runs, self.waiting, self.absent, self.damaged)))

    def add(
        self, run: Any, frames: StoredFrames, asked: Export, choice: Choice, why_none: str
    ) -> None:
        """Take a run, or note what it lacks, and why if it will ever lack it."""
        # A run that has just begun is no surprise, unless one of its frames was named.
        is_named = isinstance(choice, int) and asked.frames != LAST
        if not frames.stored and not (is_named or asked.selection.run):
            self.waiting.append(run.Index)
            return
        if why_none:
            self.absent.append(f"run {frames.run_id} has no frame in the store. {why_none}")
            return
        try:
            numbers = _numbers(frames, choice, FORMATS[asked.form])
        except AbsentError as error:
            self.absent.append(str(error))
        else:
            self.runs.append(run)
            self.found.append((frames, numbers))


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
        What is damaged, or not there, of each run that is left out; the files of the others are
        there, and whole. Runs that have just begun are shown, and not among them.

    Raises
    ------
    RefusedError
        If what is asked for can't be; nothing was written.
    AbsentError
        If runs, frames or results are not there, of any run; nothing was written.
    GlasscreepError
        If a file can't be written; those before it are there.
    """
    form = FORMATS[asked.form]
    _demand_held(asked, form)
    plan = _plan(asked)
    paths = output_paths(plan.runs, form, asked.output, chosen=plan.chosen)
    files = [_File(path, *known) for path, known in zip(paths, plan.found, strict=True)]
    left_out = [*plan.absent, *plan.damaged]
    for file in files:
        demand_free(file.path, replace=asked.overwrite)
    with telling_progress(console, "reading") as tell:
        for file in files:
            try:
                _write(file, form, tell)
            except DamagedError as error:
                left_out.append(str(error))
            else:
                say(console, _told(file))
    for told in _waiting(asked.directory, plan):
        say(console, told)
    return left_out


def _waiting(directory: Path, plan: _Plan) -> Iterator[str]:
    """Say which runs have no frames in the store yet, and which will never have some."""
    runs = open_campaign(directory).runs.loc[plan.waiting]
    over = no_more_comes(directory, runs)
    if not over.all():
        ids = ", ".join(runs["id"][~over])
        yield f"left out, as they have no frames in the store yet: {ids}"
    if over.any():
        ids = ", ".join(runs["id"][over])
        why = why_no_more(directory, runs[over])
        yield f"left out, as they have no frames in the store: {ids}. {why}"


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


def _plan(asked: Export) -> _Plan:
    campaign = open_campaign(asked.directory)
    store = campaign.directory / STORE
    reader, choice = FrameReader(store), frame_choice(asked.frames)
    table, plan = asked.selection.some_of(campaign).runs, _Plan()
    over = no_more_comes(asked.directory, table).tolist()
    for row, run, is_over in zip(table.index.tolist(), table.itertuples(), over, strict=True):
        try:
            with reading(store):
                frames = StoredFrames(reader, row, asked.columns, unwrapped=asked.unwrapped)
        except DamagedError as error:
            plan.damaged.append(str(error))
        else:
            lone = table.loc[[row]]
            why = why_no_more(asked.directory, lone) if is_over and not frames.stored else ""
            plan.add(run, frames, asked, choice, why)
    if not plan.runs and not plan.damaged:
        raise AbsentError(_nothing(plan, table.loc[plan.waiting], asked.directory))
    return plan


def _nothing(plan: _Plan, waiting: pd.DataFrame, directory: Path) -> str:
    """Say why there is nothing to write."""
    if len(plan.absent) == 1:
        return plan.absent[0]
    if plan.absent:
        return f"of {len(plan.absent)} runs none has what is asked for: {plan.absent[0]}"
    if no_more_comes(directory, waiting).all():
        none = f"none of the {count_of(len(waiting), 'run')} chosen has a frame in the store"
        return f"{none}. {why_no_more(directory, waiting)}"
    return (
        f"none of the {count_of(len(waiting), 'run')} chosen has a frame in the store yet: positions "
        "come when a file of frames is full, or the run ends. `glasscreep status` tells how far "
        "they are."
    )


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
