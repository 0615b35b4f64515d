"""Telling what ended an MD process, from what it left behind."""

import re
from pathlib import Path
from typing import IO

from glasscreep.tasks.errors import (
    DamagedError,
    DivergedError,
    FencedError,
    GlasscreepError,
    OwnAnalysisError,
    ProtocolError,
    StorageError,
    UnfitError,
)

DIVERGED = re.compile(
    r"lost atoms|non-numeric|out of range atoms|neighbor list overflow|neighbor bins"
    r"|too far outside|simulation unstable|box bounds are invalid|communication cutoff",
    re.IGNORECASE,
)
STORAGE = re.compile(
    r"i/o error while writing|no space left|quota exceeded|read-only file system", re.IGNORECASE
)
UNLAUNCHED = re.compile(
    r"job \S+ has expired|already completing or completed|unable to confirm allocation"
    r"|unable to contact slurm controller|socket timed out|zero bytes were transmitted",
    re.IGNORECASE,
)
"""What srun says when its job, or SLURM itself, is gone: no fault of what it was to start."""
OWN = "own"
"""Kind of an outcome where an analysis function of the user's is to be mended."""
KINDS: dict[type[GlasscreepError], str] = {
    DamagedError: "damaged",
    DivergedError: "diverged",
    FencedError: "fenced",
    StorageError: "storage",
    UnfitError: "unfit",
    ProtocolError: "protocol",
    OwnAnalysisError: OWN,
}
TAIL_LINES = 20
TAIL_BYTES = 8192


def kind_of_text(text: str) -> str:
    """Sort an error text into `diverged`, `storage`, `unlaunched` and, failing these, `crashed`."""
    patterns = {"diverged": DIVERGED, "storage": STORAGE, "unlaunched": UNLAUNCHED}
    return next((kind for kind, pattern in patterns.items() if pattern.search(text)), "crashed")


def kind_of_error(error: BaseException) -> str:
    """Sort an exception into the kinds of `Outcome`."""
    return next((kind for kind_of, kind in KINDS.items() if isinstance(error, kind_of)), "crashed")


def tail(path: Path) -> str:
    """Read the last lines of a text file; nothing if it is not there, the reason if unreadable."""
    try:
        with path.open("rb") as file:
            return tail_of(file)
    except FileNotFoundError:
        return ""
    except OSError as error:
        return f"could not read {path}: {error.strerror}"


def tail_of(file: IO[bytes]) -> str:
    """Read the last lines of an open file."""
    size = file.seek(0, 2)
    file.seek(max(size - TAIL_BYTES, 0))
    text = file.read().decode(errors="replace")
    return "\n".join(text.splitlines()[-TAIL_LINES:])
