"""The store's index: how far each run was when the driver last looked, for quick readers."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glasscreep.campaign.ledger import Ledger
from glasscreep.tasks.errors import DamagedError
from glasscreep.tasks.layout import INDEX
from glasscreep.tasks.lost_chunks import writing_every_chunk
from glasscreep.tasks.opening import open_array, open_writable
from glasscreep.tasks.reader import FrameReader, reader_of


def write_index(store: Path, ledger: Ledger) -> None:
    """Replace the index; only the driver may.

    Parameters
    ----------
    store : Path
        The frame store.
    ledger : Ledger
        What to write, row by row.
    """
    reader, group = reader_of(store), open_writable(store)
    told: Sequence[NDArray[Any]] = (ledger.runs.frames, ledger.runs.state)
    for name, values in zip(INDEX, told, strict=True):
        if not _holds(reader, name, values):
            writing_every_chunk(open_array(group, name))[:] = values


def _holds(reader: FrameReader, name: str, values: NDArray[Any]) -> bool:
    try:
        return np.array_equal(reader.column(name), values)
    except DamagedError:
        return False  # all that was in it is known
