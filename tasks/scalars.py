"""The numbers of each frame that are not per particle, in the store at once."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glasscreep.tasks.errors import DamagedError
from glasscreep.tasks.files import checksum, make_durable
from glasscreep.tasks.opening import Write

SCALARS = np.dtype(
    [
        ("box_edges", "<f8", (3,)),
        ("box_tilt", "<f8", (3,)),
        ("potential_energy", "<f8"),
        ("kinetic_temperature", "<f8"),
        ("dynamic_stress", "<f8", (6,)),
        ("force_residual", "<f8"),
        ("stress_residual", "<f8"),
        ("force_evaluations", "<i8"),
    ]
)
NAMES = tuple(SCALARS.names or ())
CHECKSUM_BYTES = 4


class ScalarChunk:
    """The scalars of one run's frames that share chunk files, one file per array.

    Written without going through Zarr, which takes a millisecond per array: a chunk is the
    values and their CRC-32C. Not durable until `make_durable`; the journal is, till then.
    """

    def __init__(self, store: Path, row: int, index: int, length: int) -> None:
        self._store, self._row, self._index = store, row, index
        self.first_frame = index * length
        self.values = np.empty(length, SCALARS)
        for name in NAMES:
            self.values[name] = -1 if SCALARS[name].base.kind == "i" else np.nan

    def put(self, frame: int, values: NDArray[Any]) -> None:
        """Set the scalars of consecutive frames, from `frame` on."""
        start = frame - self.first_frame
        self.values[start : start + len(values)] = values

    def before(self, frame: int) -> NDArray[Any]:
        """Scalars of the frames of this chunk before `frame`."""
        return self.values[: frame - self.first_frame]

    def write(self, write: Write) -> None:
        """Replace the chunk files."""
        for name in NAMES:
            data = self.values[name].tobytes()
            write(self._path(name), data + checksum(data).to_bytes(CHECKSUM_BYTES, "little"))

    def make_durable(self) -> None:
        """Make the chunk files survive a power loss."""
        for name in NAMES:
            make_durable(self._path(name))

    def load(self, frames: int) -> None:
        """Read the chunk files, which hold the frames before `frames`."""
        for name in NAMES:
            path = self._path(name)
            data = path.read_bytes() if path.is_file() else b""
            body, crc = data[:-CHECKSUM_BYTES], data[-CHECKSUM_BYTES:]
            whole = len(body) == self.values[name].nbytes
            if not whole or checksum(body) != int.from_bytes(crc, "little"):
                msg = (
                    f"frames {self.first_frame} to {frames - 1} in array {name}, row {self._row} "
                    f"of {self._store} are damaged: {path} does not match its checksum"
                )
                raise DamagedError(msg)
            column = np.frombuffer(body, SCALARS[name].base)
            self.values[name] = column.reshape(self.values[name].shape)

    def _path(self, name: str) -> Path:
        axis = ".0" if SCALARS[name].shape else ""
        return self._store / name / f"c.{self._row}.{self._index}{axis}"
