"""The frames of one run as the results of a block need them: each read once."""

from collections import OrderedDict
from collections.abc import Callable
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from glasscreep.analysis.interstice_presets import IntersticePreset
from glasscreep.tasks.damage import naming_damage
from glasscreep.tasks.glasses import read_glass_box
from glasscreep.tasks.observable import Result
from glasscreep.tasks.reader import FrameReader

if TYPE_CHECKING:
    from glasscreep.analysis.some_stars import Stars
    from glasscreep.analysis.tetrahedra import Tetrahedra

READ_TOGETHER = 2**17
"""Particles times frames that are read in one go: opening a file for each frame takes longer."""
REMEMBERED = 2**24
"""Particles times frames that are kept at most."""


Floats = NDArray[np.float64]
TwoFrames = tuple[Floats, Floats, Floats, Floats]
"""Positions of a frame, (N, 3), and of a later one; the box of both, as `RunFrames.box` [length]."""


class RunFrames:
    """The frames of one run, positions and what several results need of them computed once.

    Parameters
    ----------
    reader : FrameReader
        Of the campaign's store.
    row, glass_row : int
        Rows of the run and of its glass.
    frame_interval : int
        From frame to frame [steps].
    stop : int
        One beyond the last frame that may be asked for.
    apart : int
        Frames between two that are compared with each other.
    """

    def __init__(
        self,
        reader: FrameReader,
        row: int,
        glass_row: int,
        frame_interval: int,
        stop: int = 0,
        apart: int = 0,
    ) -> None:
        self.reader, self.row = reader, row
        self._glass_row, self.frame_interval = glass_row, frame_interval
        self._stop, self._apart = stop, apart
        particles = reader.shape("species")[0]
        together = max(1, READ_TOGETHER // particles)
        kept = max(2, min(2 * together + apart, REMEMBERED // particles))
        self._positions = _Ahead(partial(reader.positions, row), together, kept, stop)
        self._stored: dict[str, _Ahead] = {}
        self._together = together
        self._made: dict[str, Any] = {}
        self._images = _Ahead(partial(reader.images, row), together, 2 * together, stop)
        self._tetrahedra: tuple[int, Tetrahedra | None] = -1, None
        self._features: tuple[int, dict[IntersticePreset, Floats]] = -1, {}

    def place(self) -> dict[str, Any]:
        """Say what another process makes these from: the store, and parameters."""
        return {
            "store": str(self.reader.store),
            "row": self.row,
            "glass_row": self._glass_row,
            "frame_interval": self.frame_interval,
            "stop": self._stop,
            "apart": self._apart,
        }

    @property
    def run_id(self) -> str:
        """Identity of the run."""
        return self.reader.run_ids[self.row]

    @property
    def species(self) -> NDArray[np.uint8]:
        """(N,) species of each particle: 1 = A, 2 = B."""
        return self.reader.species

    @cached_property
    def lattice(self) -> NDArray[np.float64]:
        """(frames, 3, 3) box of the committed frames that the store shows, edges as rows [length]."""
        return self.reader.lattice(self.row)

    def box(self, frame: int) -> NDArray[np.float64]:
        """Box of a frame: its edges, (3,), or if it leans, edges as the rows of (3, 3) [length]."""
        lattice = self.lattice[frame]
        edges = np.diagonal(lattice)
        leans = np.count_nonzero(lattice) > np.count_nonzero(edges)
        return lattice if leans else np.ascontiguousarray(edges)

    @cached_property
    def time(self) -> NDArray[np.float64]:
        """(frames,) time under load of each frame that the store has room for [time]."""
        return np.asarray(self.reader.column("time"), np.float64)

    @cached_property
    def glass_edges(self) -> NDArray[np.float64]:
        """(3,) box edges of the glass [length]."""
        return read_glass_box(self.reader.store, self._glass_row)

    def position(self, frame: int) -> NDArray[np.float64]:
        """Positions of a frame, (N, 3), wrapped into the box [length]."""
        return self._positions(frame)

    def images(self, frame: int) -> NDArray[np.int8]:
        """Periodic images of a frame, (N, 3): how often a particle has crossed each boundary."""
        return self._images(frame)

    def scalar(self, name: str) -> NDArray[Any]:
        """Values of each committed frame, read once; `name` as of `FrameReader.scalar`."""
        return np.asarray(self.once(name, lambda: self.reader.scalar(name, self.row)))

    def column(self, name: str) -> NDArray[Any]:
        """Read a whole array of one dimension, such as `step`, once."""
        return np.asarray(self.once(name, lambda: self.reader.column(name)))

    def pair(self, result: Result, frame: int) -> TwoFrames:
        """Give the frame and the one that the result compares it with."""
        later = frame + result.interval // self.frame_interval
        positions = self.position(frame), self.position(later)
        return *positions, self.box(frame), self.box(later)

    def unwrapped(self, frame: int) -> NDArray[np.float64]:
        """Positions of a frame, (N, 3), followed through the boundaries of the box [length]."""
        box, images = self.box(frame), self.images(frame)
        # Without a matrix where none is needed: it would add zeros, and take longer.
        crossed = images * box if box.ndim == 1 else images @ box
        unwrapped: Floats = self.position(frame) + crossed
        return unwrapped

    def tetrahedra(self, frame: int) -> "Tetrahedra":
        """Delaunay tetrahedra of a frame: those of the frame before, repaired."""
        at, known = self._tetrahedra
        if at != frame:
            from glasscreep.analysis.triangulation import delaunay

            known = delaunay(self.position(frame), self.box(frame), previous=known)
            self._tetrahedra = frame, known
        assert known is not None
        return known

    def tetrahedra_around(self, frame: int, only: NDArray[np.int64]) -> "Tetrahedra | Stars":
        """Delaunay tetrahedra around some particles of a frame and their neighbours, or all."""
        from glasscreep.analysis.some_stars import delaunay_stars

        stars = delaunay_stars(self.position(frame), self.box(frame), only)
        return self.tetrahedra(frame) if stars is None else stars

    def features(self, preset: IntersticePreset, frame: int) -> Floats:
        """Interstice features of a frame, (N, 60), computed once for all results of a preset."""
        if self._features[0] != frame:
            self._features = frame, {}
        known = self._features[1]
        if preset not in known:
            from glasscreep.analysis.interstices import interstice_features

            where = self.position(frame), self.box(frame), self.species
            known[preset] = interstice_features(*where, preset, tetrahedra=self.tetrahedra(frame))
        return known[preset]

    def once(self, name: str, make: Callable[[], Any]) -> Any:
        """Make something of the whole run at the first time of asking."""
        if name not in self._made:
            self._made[name] = make()
        return self._made[name]

    def stored(self, result: Result, frame: int, apart: int = 0) -> NDArray[np.float64]:
        """Values of another result of a frame, (N,), as they are in the store.

        Parameters
        ----------
        result : Result
            One with values of frames.
        frame : int
            The frame.
        apart : int, optional
            So many frames before `stop` it ends.
        """
        if result.name not in self._stored:
            together, stop = self._together, self._stop - apart
            read = self._reading(result)
            self._stored[result.name] = _Ahead(read, together, 2 * together, stop)
        return self._stored[result.name](frame)

    def _reading(self, result: Result) -> Callable[[int, int], NDArray[Any]]:
        def read(start: int, stop: int) -> NDArray[Any]:
            where = f"run {self.run_id}, frames {start} to {stop - 1}, array {result.name}"
            self.reader.demand(result.name, self.row, start, stop, where)
            with naming_damage(where):
                values = self.reader.of_frames(result.name, self.row, start, stop)
            return np.asarray(values, np.float64)

        return read


class _Ahead:
    """Reads some frames more than are asked for, and remembers those last used."""

    def __init__(
        self, read: Callable[[int, int], NDArray[Any]], together: int, kept: int, stop: int
    ) -> None:
        self._read, self._together, self._kept, self._stop = read, together, kept, stop
        self._known: OrderedDict[int, NDArray[Any]] = OrderedDict()

    def __call__(self, frame: int) -> NDArray[Any]:
        if frame not in self._known:
            stop = max(frame + 1, min(frame + self._together, self._stop))
            # What is known already would be read for nothing.
            stop = next((at for at in range(frame, stop) if at in self._known), stop)
            values = self._read(frame, stop)
            self._known.update((frame + at, value) for at, value in enumerate(values))
            while len(self._known) > self._kept:
                self._known.popitem(last=False)
        self._known.move_to_end(frame)
        return self._known[frame]
