"""The folder in which one attempt writes files aside, and by which it is fenced off."""

import os
import shutil
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from glasscreep.tasks.errors import FencedError
from glasscreep.tasks.files import Data, storing, sync_directory, sync_file, write_new


class Scratch:
    """Where an attempt writes each file before it renames it into place.

    A process that was stopped and wakes after another attempt took over may be anywhere,
    also between its last look at the manifest and a rename. So the later attempt takes the
    folder of the earlier one away: a rename out of a folder that is gone can't succeed.

    One rank makes it and may give it to the others, pickled: they write by way of the same folder.

    Parameters
    ----------
    directory : Path
        Directory of the run or glass, on the same file system as the store.
    attempt : int
        Number of this attempt; folders of this and lower numbers are taken away.
    """

    def __init__(self, directory: Path, attempt: int) -> None:
        self.directory = directory
        self.path = directory / f"attempt-{attempt}-{uuid.uuid4().hex[:8]}"
        with storing(self.path):
            self.path.mkdir()
            for other in directory.glob("attempt-*-*"):
                if other != self.path and int(other.name.split("-")[1]) <= attempt:
                    self._take_away(other)

    def write(self, path: Path, data: Data, *, durable: bool = True) -> None:
        """Replace a file by way of this folder; FencedError if the folder was taken away."""
        self.write_blocks(path, (data,), durable=durable)

    def write_blocks(self, path: Path, blocks: Iterable[Data], *, durable: bool = True) -> None:
        """Replace a file by blocks of data, taken one after the other."""
        partial = self.path / f"{uuid.uuid4().hex}.partial"  # no other rank's
        with self.guarding(path):
            write_new(partial, blocks, durable=durable)
            self._rename(partial, path, durable=durable)

    def adopt(self, written: Path, path: Path) -> None:
        """Rename a file that something else wrote in this folder into place, durably."""
        with self.guarding(path):
            sync_file(written)
            self._rename(written, path, durable=True)

    @contextmanager
    def guarding(self, path: Path) -> Iterator[None]:
        """Name `path` in what goes wrong, unless the reason is that this attempt is fenced off."""
        with self.unless_fenced(), storing(path):
            yield

    @contextmanager
    def unless_fenced(self) -> Iterator[None]:
        """Let what goes wrong be a FencedError if a later attempt has moved files away."""
        try:
            yield
        except Exception:  # whatever it was, that the attempt is fenced off explains it better
            self.check()
            raise

    def check(self) -> None:
        """Raise FencedError if a later attempt has taken this folder away."""
        if not self.path.is_dir():
            msg = f"another attempt has taken over {self.directory}; this one stops here"
            raise FencedError(msg)

    def remove(self) -> None:
        """Remove the folder; the attempt can't write any more."""
        shutil.rmtree(self.path, ignore_errors=True)

    def _rename(self, source: Path, target: Path, *, durable: bool) -> None:
        try:
            os.replace(source, target)
        except OSError:
            source.unlink(missing_ok=True)
            raise
        if durable:
            sync_directory(target.parent)

    def _take_away(self, other: Path) -> None:
        away = self.path / other.name
        with suppress(FileNotFoundError):  # yet another attempt was faster
            os.rename(other, away)
        shutil.rmtree(away, ignore_errors=True)
