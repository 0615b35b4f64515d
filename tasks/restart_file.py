"""Restart files of LAMMPS, which it does not check itself."""

from pathlib import Path

from glasscreep.tasks.errors import StorageError
from glasscreep.tasks.files import storing

RESTART_END = b"LammpS RestartT\0"


def require_complete(path: Path) -> None:
    """Raise StorageError if a full disk has not taken all of it, which LAMMPS does not look at."""
    with storing(path), path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(size - len(RESTART_END), 0))
        end = file.read()
    if end != RESTART_END:
        msg = f"checkpoint {path} is cut short at {size} bytes; is the disk full?"
        raise StorageError(msg)
