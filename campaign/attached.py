"""Files that a campaign file names: found, hashed, and copied into the campaign's directory."""

from dataclasses import dataclass
from pathlib import Path

MARK = " sha256:"


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file, and what is in it."""

    path: Path
    """Where it is."""
    sha256: str
    """Hash of its content."""
