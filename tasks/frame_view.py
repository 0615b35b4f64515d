"""What an analysis function of the user's is given: a frame, or the frames of a run."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, overload

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from glasscreep.analysis.pairs import Pairs


def nothing_needed(name: str) -> NDArray[np.float64]:
    """Refuse a result that a table did not ask for.

    Raises
    ------
    KeyError
        Saying what to do.
    """
    msg = f"{name} is not given: write it into needs of the table [[analysis.own]]"
    raise KeyError(msg)


@dataclass(frozen=True, slots=True)
class FrameView:
    """One relaxed frame of a run; its arrays can't be written to."""

    positions: NDArray[np.float64]
    """(N, 3) between 0 and the edge of the box along each axis, also where it leans [length]."""
    images: NDArray[np.int8]
    """(N, 3) periodic images: positions + images @ box goes on through the boundaries [1]."""
    box: NDArray[np.float64]
    """(3, 3) edges of the box as rows [length]."""
    species: NDArray[np.uint8]
    """(N,) 1 = A, 2 = B."""
    step: int
    """MD steps under load."""
    time: float
    """Time under load [time]."""
    potential_energy: float
    """Per particle [energy]."""
    temperature: float
    """Of the run's dynamics [energy]."""
    stress: float
    """Of the run's loading, positive as its name says [energy / length**3]."""
    results: Callable[[str], NDArray[np.float64]] = nothing_needed
    """Reads another result of the frame."""

    def __getitem__(self, name: str) -> NDArray[np.float64]:
        """Values of another result of the frame, by its name in `needs`; they can't be written to.

        Raises
        ------
        KeyError
            If it is not one of those needed.
        """
        return self.results(name)

    def neighbors(self, cutoff: float) -> "Pairs":
        """Find all pairs of particles that are nearer to each other than a cutoff [length].

        Each pair is there twice, from either particle, those of a particle one after the
        other: arrays `center`, `neighbor`, `vector` and `distance`, as of
        `glasscreep.analysis.near_pairs`.
        """
        from glasscreep.analysis.pairs import near_pairs

        return near_pairs(self.positions, self.box, cutoff)


class FramesView(Sequence[FrameView]):
    """All frames of a run, by their index; each is read when it is asked for.

    Parameters
    ----------
    count : int
        How many there are.
    read : callable
        Gives the frame of an index from 0 on.
    """

    def __init__(self, count: int, read: Callable[[int], FrameView]) -> None:
        self._indices, self._read = range(count), read

    def __len__(self) -> int:
        """Count the frames."""
        return len(self._indices)

    @overload
    def __getitem__(self, index: int) -> FrameView: ...
    @overload
    def __getitem__(self, index: slice) -> list[FrameView]: ...
    def __getitem__(self, index: int | slice) -> FrameView | list[FrameView]:
        """Read a frame, or several."""
        if isinstance(index, slice):
            return [self._read(at) for at in self._indices[index]]
        return self._read(self._indices[index])

    def __iter__(self) -> Iterator[FrameView]:
        """Read one frame after the other."""
        return map(self._read, self._indices)
