"""What a report need not compute twice: panels, kept by all that they depend on."""

import hashlib
import json
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import glasscreep
from glasscreep import __version__
from glasscreep.tasks.errors import StorageError
from glasscreep.tasks.files import storing, write_durably

DIRECTORY = "report"
"""In the campaign directory."""
PACKAGE = Path(glasscreep.__file__).parent
"""All of it: what is kept is made by modules that use many others."""


class Cache:
    """Entries in files, each named after what it is and a digest of what it depends on.

    Parameters
    ----------
    directory : Path
        Campaign directory. Where it can't be written, nothing is kept, and `refused` says why.
    """

    def __init__(self, directory: Path) -> None:
        self._place = directory / DIRECTORY
        self._code = _digest_of_code()
        self.refused = ""
        self.computed: list[str] = []

    def key(self, depends_on: Mapping[str, Any]) -> str:
        """Digest what an entry depends on, and the code that makes it."""
        whole = {"code": self._code, **depends_on}
        return hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()[:20]

    def recall(self, name: str, key: str) -> dict[str, Any] | None:
        """Read an entry; None if it is not there, or damaged."""
        try:
            entry: dict[str, Any] = json.loads((self._place / f"{name}-{key}.json").read_bytes())
        except (FileNotFoundError, NotADirectoryError, ValueError):
            return None
        return entry if entry.pop("digest", "") == _digest(entry) else None

    def keep(self, name: str, key: str, entry: Mapping[str, Any]) -> None:
        """Keep an entry in place of all of that name."""
        if self.refused:
            return
        content = json.dumps({**entry, "digest": _digest(entry)}).encode()
        try:
            with storing(self._place):
                self._place.mkdir(exist_ok=True)
            write_durably(self._place / f"{name}-{key}.json", content)
        except StorageError as error:
            why = error.__cause__.strerror if isinstance(error.__cause__, OSError) else error
            self.refused = f"{self._place} can't be written: {why}"
            return
        for old in self._place.glob(f"{name}-*.json"):
            if old.name != f"{name}-{key}.json":
                old.unlink(missing_ok=True)


def _digest(entry: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(entry, sort_keys=True).encode()).hexdigest()


def _digest_of_code() -> str:
    versions = f"{__version__} {version('matplotlib')} {version('pandas')} {version('numpy')}"
    digest = hashlib.sha256(versions.encode())
    # From each folder by itself, which may be a link: `rglob` doesn't follow those within it.
    folders = [path for path in PACKAGE.iterdir() if path.is_dir()]
    modules = [*PACKAGE.glob("*.py"), *(path for one in folders for path in one.rglob("*.py"))]
    for path in sorted(modules):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(PACKAGE)} {len(content)} ".encode() + content)
    return digest.hexdigest()
