"""Tables of examples on disk: named columns in one file, whole or not there, read one at a time."""

import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glasscreep.tasks.errors import DamagedError
from glasscreep.tasks.files import replacing, storing

KEY = "key"
"""Member that says what the others were made from, and names them: where bytes of a zip's list are
wrong, members may be missing from it, or have other names."""
DAMAGE = (OSError, ValueError, KeyError, EOFError, RuntimeError, zipfile.BadZipFile)
"""What reading wrong bytes raises: they may even say that they are encrypted, or compressed."""

Column = NDArray[Any]


def write_table(path: Path, key: str, columns: Mapping[str, Column]) -> None:
    """Write columns, and what they were made from; each is asked for when it is its turn.

    Raises
    ------
    StorageError
        If the file system refuses.
    """
    with replacing(path) as partial, storing(path), zipfile.ZipFile(partial, "w") as archive:
        _write(archive, KEY, np.array([key, *columns]))
        for name in columns:
            _write(archive, name, columns[name])


def _write(archive: zipfile.ZipFile, name: str, column: Column) -> None:
    """Write a column as `numpy.savez` does."""
    with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
        np.lib.format.write_array(file, np.asanyarray(column), allow_pickle=False)


class Table(Mapping[str, Column]):
    """Columns of a table, each read when it is asked for and not kept, its checksum verified.

    DamagedError if it can't be read.

    Parameters
    ----------
    path : Path
        File of the table.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._opened() as file:
            _, *self._names = _key_and_names(file)

    def __getitem__(self, name: str) -> Column:
        """Read a column."""
        if name not in self._names:
            raise KeyError(name)
        with self._opened() as file:
            column: Column = file[name]
            return column

    def __iter__(self) -> Iterator[str]:
        """Give the names of the columns."""
        return iter(self._names)

    def __len__(self) -> int:
        """Count the columns."""
        return len(self._names)

    def __contains__(self, name: object) -> bool:
        """Tell whether there is a column, without reading it."""
        return name in self._names

    @contextmanager
    def _opened(self) -> Iterator[Any]:
        try:
            with self._path.open("rb") as stream, np.load(stream) as file:
                yield file
        except DAMAGE as error:
            msg = (
                f"{self._path} can't be read ({error}); remove it, and give the same command again"
            )
            raise DamagedError(msg) from error


class Joined(Mapping[str, Column]):
    """Columns of several tables, one after the other's, put together when they are asked for.

    Parameters
    ----------
    tables : sequence of Table
        One or more, with the same columns.
    more : mapping
        Columns besides.
    """

    def __init__(self, tables: Sequence[Table], more: Mapping[str, Column]) -> None:
        self._tables, self._more = tables, more

    def __getitem__(self, name: str) -> Column:
        """Read a column of all."""
        if name in self._more:
            return self._more[name]
        return np.concatenate([table[name] for table in self._tables])

    def __iter__(self) -> Iterator[str]:
        """Give the names of the columns."""
        return chain(self._tables[0], self._more)

    def __len__(self) -> int:
        """Count the columns."""
        return len(self._tables[0]) + len(self._more)


def is_made_from(path: Path, key: str) -> bool:
    """Tell whether a table is there, and was made from the same."""
    try:
        with path.open("rb") as file, np.load(file) as table:
            return _key_and_names(table)[0] == key
    except DAMAGE:
        return False


def _key_and_names(file: Any) -> list[str]:
    """Read what a table was made from, and its columns' names; ValueError if others are there."""
    told: list[str] = np.atleast_1d(file[KEY]).tolist()
    if file.files != [KEY, *told[1:]]:
        msg = f"it has other columns than it was written with: {', '.join(file.files)}"
        raise ValueError(msg)
    return told
