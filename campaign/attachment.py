"""Files that belong to a campaign, kept in its directory."""

from dataclasses import dataclass
from pathlib import Path

from glasscreep.tasks.files import storing, write_durably
from glasscreep.tasks.model import demand_same

MARK = " sha256:"
"""Between a file and its hash, in what is kept of a campaign; a campaign file may say it too."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file, and what is in it."""

    path: Path
    """Where it was found."""
    sha256: str
    """Hash of its content."""

    @classmethod
    def of(cls, text: str) -> "Attachment":
        """Read what `pinning.pinned` wrote."""
        path, _, sha256 = text.rpartition(MARK)
        return cls(Path(path), sha256)

    def named(self) -> str:
        """Write its name and hash, without the folder."""
        return f"{self.path.name}{MARK}{self.sha256}"

    def keep(self, target: Path) -> None:
        """Copy it to a place in a campaign's directory, unless it is there.

        Raises
        ------
        DamagedError
            If it, or what is there, is not the file that it was.
        """
        if not target.exists():
            demand_same(self.path, self.sha256)
            with storing(target):
                target.parent.mkdir(exist_ok=True)
            write_durably(target, self.path.read_bytes())
        demand_same(target, self.sha256)
