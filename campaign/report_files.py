"""The files that results are read from, by size and time: what is damaged or lost since differs."""

import hashlib
import os
from collections.abc import Collection

from glasscreep.tasks.opening import dimensions
from glasscreep.tasks.reader import FrameReader
from glasscreep.tasks.strain_results import STRAINS

BOX = ("box_edges", "box_tilt")
FROM_OTHERS = {
    "position": ("position", "image", *BOX),
    **dict.fromkeys(STRAINS, (*BOX, "glass_box_edges")),
}
"""Arrays that results are read from which are not stored under their own name alone."""
WITH = {"frame": ("step", "time"), "particle": ("species",)}
"""Tables that what has a dimension is read with."""


class Files:
    """Digests of the files that results of some runs are in, without reading them.

    Parameters
    ----------
    reader : FrameReader
        Of the store.
    rows : collection of int
        Rows of the runs.
    """

    def __init__(self, reader: FrameReader, rows: Collection[int]) -> None:
        self._reader, self._rows = reader, frozenset(rows)
        self._known: dict[str, str] = {}

    def digest(self, name: str) -> list[str]:
        """Digest names, sizes and times of the files of a result, array by array."""
        own = [one for one in FROM_OTHERS.get(name, (name,)) if self._reader.has(one)]
        axes = {dim for one in own for dim in dimensions(self._reader.array(one))}
        tables = sorted(axes.union(*(WITH.get(dim, ()) for dim in axes)))
        return [self._of_array(one) for one in (*own, *tables) if self._reader.has(one)]

    def _of_array(self, name: str) -> str:
        if name not in self._known:
            found = hashlib.sha256()
            for entry in sorted(self._entries(name)):
                found.update(repr(entry).encode())
            self._known[name] = found.hexdigest()
        return self._known[name]

    def _entries(self, name: str) -> list[tuple[str, int, int]]:
        folder = self._reader.store / name
        if not folder.is_dir():
            return []
        of_runs = self._reader.has_files_of_runs(name)
        with os.scandir(folder) as entries:
            return [
                (entry.name, entry.stat().st_size, entry.stat().st_mtime_ns)
                for entry in entries
                if entry.name.startswith("c.") and not (of_runs and self._is_of_others(entry.name))
            ]

    def _is_of_others(self, file: str) -> bool:
        row = file.split(".")[1]
        return row.isdecimal() and int(row) not in self._rows
