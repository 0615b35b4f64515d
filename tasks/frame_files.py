"""Files of frames for other programs: which formats there are, and what each can hold."""

import gzip
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TextIO, cast

from glasscreep.tasks.extended_xyz import write_extended_xyz
from glasscreep.tasks.files import replacing, storing
from glasscreep.tasks.gsd_file import writing_gsd
from glasscreep.tasks.h5md_file import writing_h5md
from glasscreep.tasks.lammps_text import write_data, write_dump
from glasscreep.tasks.written_frame import Contents, Write, WrittenFrame

COMPRESSION = 4
"""Of gzip: 6 takes three times as long for 2 % less, 1 half as long for 5 % more."""
OneFrame = Callable[[TextIO, WrittenFrame, Contents], None]
Opening = Callable[[Path, Contents], AbstractContextManager[Write]]


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of file."""

    title: str
    """What it is called."""
    endings: tuple[str, ...]
    """Of the names of such files; the first is taken where none was said."""
    text: OneFrame | None = None
    """Writes a frame, where the file is text: that may be compressed, `.gz`."""
    binary: Opening | None = None
    """Opens a file, where it is none."""
    has_many_frames: bool = True
    """Whether it holds more than one frame."""
    has_columns: bool = True
    """Whether it holds results of particles."""
    has_unwrapped: bool = True
    """Whether positions may be outside of the box."""

    @property
    def all_endings(self) -> tuple[str, ...]:
        """All endings of its files."""
        if self.text is None:
            return self.endings
        return (*self.endings, *(f"{ending}.gz" for ending in self.endings))


FORMATS = {
    "extxyz": Format("extended XYZ", (".xyz", ".extxyz"), text=write_extended_xyz),
    "dump": Format("a LAMMPS text dump", (".dump", ".lammpstrj"), text=write_dump),
    "data": Format(
        "a LAMMPS data file",
        (".data",),
        text=write_data,
        has_many_frames=False,
        has_columns=False,
        has_unwrapped=False,
    ),
    "gsd": Format("GSD", (".gsd",), binary=writing_gsd, has_unwrapped=False),
    "h5md": Format("H5MD", (".h5md", ".h5"), binary=writing_h5md),
}
"""By the name that a user gives."""


@contextmanager
def writing_frames(path: Path, form: Format, contents: Contents) -> Iterator[Write]:
    """Write frames to a file that is there once all of them are.

    Parameters
    ----------
    path : Path
        Compressed if it ends in `.gz`. What is there is replaced.
    form : Format
        One of `FORMATS`.
    contents : Contents
        What is the same in all frames.

    Yields
    ------
    callable
        To be called with each frame; none is kept in memory.

    Raises
    ------
    StorageError
        If it can't be written.
    TrajectoryError
        If the library for it is not installed, or it can't hold a frame.
    """
    with replacing(path) as aside, ExitStack() as files:
        with storing(path):
            write = files.enter_context(_opened(aside, path, form, contents))

        def stored(frame: WrittenFrame) -> None:
            with storing(path):
                write(frame)

        try:
            yield stored
        except BaseException:
            with suppress(OSError):  # of what is thrown away anyhow; why it is goes on below
                files.close()
            raise
        with storing(path):
            files.close()


@contextmanager
def _opened(aside: Path, path: Path, form: Format, contents: Contents) -> Iterator[Write]:
    if form.text is None:
        with cast("Opening", form.binary)(aside, contents) as write:
            yield write
    else:
        with _open_text(aside, path) as file:
            yield partial(_write_text, form.text, file, contents)


def _open_text(aside: Path, path: Path) -> TextIO:
    if path.suffix == ".gz":
        return gzip.open(aside, "wt", compresslevel=COMPRESSION)
    return aside.open("w")


def _write_text(text: OneFrame, file: TextIO, contents: Contents, frame: WrittenFrame) -> None:
    text(file, frame, contents)
