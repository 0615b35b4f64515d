"""Tables of examples on disk: named columns in one file, whole or not there."""

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glasscreep.tasks.errors import DamagedError
from glasscreep.tasks.files import write_durably

KEY = "key"


def write_table(path: Path, key: str, columns: Mapping[str, NDArray[Any]]) -> None:
    """Write columns, and what they were made from.

    Raises
    ------
    StorageError
        If the file system refuses.
    """
    data = io.BytesIO()
    content: dict[str, Any] = {KEY: np.array(key), **columns}
    np.savez(data, **content)
    write_durably(path, data.getbuffer())


def read_table(path: Path) -> dict[str, NDArray[Any]]:
    """Read the columns of a table, checksums verified.

    Raises
    ------
    DamagedError
        If it is not there, or not whole.
    """
    try:
        with path.open("rb") as file, np.load(file) as table:
            return {name: table[name] for name in table.files if name != KEY}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        msg = f"{path} can't be read ({error}); remove it, and give the same command again"
        raise DamagedError(msg) from error


def is_made_from(path: Path, key: str) -> bool:
    """Tell whether a table is there, and was made from the same."""
    try:
        with path.open("rb") as file, np.load(file) as table:
            return str(table[KEY]) == key
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return False
