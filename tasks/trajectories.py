"""Trajectories of other programs, frame by frame."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from glasscreep.tasks.errors import RefusedTrajectoryError, TrajectoryError
from glasscreep.tasks.h5md_frames import read_h5md
from glasscreep.tasks.lammps_dump import ITEM, open_text, read_dump
from glasscreep.tasks.trajectory_frame import Frame, RawFrame, as_frame, where_in
from glasscreep.tasks.trajectory_readers import (
    read_by_mdanalysis,
    read_extended_xyz,
    read_gsd,
)


def read_frames(
    path: Path, species: Mapping[str, int], topology: Path | None = None
) -> Iterator[Frame]:
    """Read the frames of a file, one at a time.

    Parameters
    ----------
    path : Path
        A text dump of LAMMPS, whatever its name, or extended XYZ (`.xyz`, `.extxyz`), either
        compressed too (`.gz`); GSD (`.gsd`); H5MD (`.h5md`, `.h5`); or what MDAnalysis reads.
    species : mapping
        Number of the species, from 1, by the type, element or name in the file.
    topology : Path, optional
        For MDAnalysis: a file that has the types, where the trajectory has none.

    Yields
    ------
    Frame

    Raises
    ------
    TrajectoryError
        If the file can't be read, or a frame has no looseness (`as_frame`); it names the file
        and the frame.
    """
    for file in (path, topology):
        if file is not None:
            _demand_content(file)
    number = 0
    frames = _raw_frames(path, topology)
    while True:
        try:
            raw = next(frames, None)
        except TrajectoryError:
            raise
        except Exception as error:  # of whatever a library makes of a damaged file
            what = (str(error) or type(error).__name__).partition("\n")[0]
            if isinstance(error.__cause__, StopIteration):  # of a generator that wanted a line more
                what = "it ends within a frame"
            msg = (
                f"{where_in(path, number)} can't be read: {what}. Is the file whole, and does its "
                "ending say what it is?"
            )
            raise TrajectoryError(msg) from error
        if raw is None:
            break
        yield as_frame(raw, species, where_in(path, number))
        number += 1
    if not number:
        msg = f"{path} has no frames. Give a file with at least one."
        raise RefusedTrajectoryError(msg)


def _demand_content(path: Path) -> None:
    """Refuse a file without anything in it, in other words than libraries do."""
    if not path.exists():
        msg = f"there is no file {path}. Give the name of one that is there."
    elif path.is_dir():
        msg = f"{path} is a folder. Give the files in it."
    elif not path.stat().st_size:
        msg = f"{path} is empty. If it is still being written, wait; or give another file."
    else:
        return
    raise RefusedTrajectoryError(msg)


def _raw_frames(path: Path, topology: Path | None) -> Iterator[RawFrame]:
    inner = path.with_suffix("") if path.suffix == ".gz" else path
    if inner.suffix in (".xyz", ".extxyz"):
        yield from read_extended_xyz(path)
    elif inner.suffix == ".gsd":
        yield from read_gsd(path)
    elif topology is None and inner.suffix in (".h5md", ".h5"):
        yield from read_h5md(path)
    elif topology is None and _is_dump(path):
        yield from read_dump(path)
    else:
        is_dump = topology is not None and _is_dump(topology)
        yield from read_by_mdanalysis(path, topology, "LAMMPSDUMP" if is_dump else None)


def _is_dump(path: Path) -> bool:
    try:
        with open_text(path) as file:
            return file.readline().startswith(ITEM)
    except UnicodeDecodeError:
        return False
