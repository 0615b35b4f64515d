"""Frames of the store as a trajectory of MDAnalysis. Imported only where that is installed."""

from typing import Any

from MDAnalysis.coordinates.base import ReaderBase
from MDAnalysis.lib.mdamath import triclinic_box
from MDAnalysis.lib.util import store_init_arguments

from glasscreep.tasks.stored_frames import StoredFrames


class StoreReader(ReaderBase):  # type: ignore[misc]  # MDAnalysis has no types
    """Reads a frame of a run when it is come to; none is kept.

    Parameters
    ----------
    filename : StoredFrames
        Of the run, under the name that MDAnalysis has for what is read.
    """

    format = "GLASSCREEP"
    units = {"time": None, "length": None}  # noqa: RUF012 - what MDAnalysis expects

    # Keeps what copies are made with; MDAnalysis has no types.
    @store_init_arguments  # type: ignore[untyped-decorator]
    def __init__(self, filename: StoredFrames, **more: Any) -> None:
        # Frame k is k + 1 intervals after loading.
        super().__init__(filename, **{"dt": float(filename.times[0]), **more})
        self.filename, self._frames = f"run {filename.run_id}", filename
        self.n_frames, self.n_atoms = filename.stored, len(filename.ids)
        self.ts = self._Timestep(self.n_atoms, **self._ts_kwargs)
        self._read_frame(0)

    def _read_frame(self, frame: int) -> Any:
        known = self._frames.frame(frame)
        self.ts.frame = frame
        self.ts.positions = known.positions
        self.ts.dimensions = triclinic_box(*known.box)
        self.ts.time = known.time
        self.ts.data["step"] = known.step
        return self.ts

    def _read_next_timestep(self, _ts: Any = None) -> Any:
        following = self.ts.frame + 1
        if following >= self.n_frames:
            raise EOFError
        return self._read_frame(following)

    def _reopen(self) -> None:
        self.ts.frame = -1

    def close(self) -> None:
        """Do nothing: between frames no file is open."""
