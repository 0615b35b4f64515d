"""The store's index: how far each run was when the driver last looked, for quick readers."""

from pathlib import Path

import numpy as np

from glasscreep.campaign.ledger import Ledger
from glasscreep.tasks.opening import open_array, open_writable


def write_index(store: Path, ledger: Ledger) -> None:
    """Replace the index; only the driver may.

    Parameters
    ----------
    store : Path
        The frame store.
    ledger : Ledger
        What to write, row by row.
    """
    group = open_writable(store)
    for name, values in (("frames_committed", ledger.runs.frames), ("state", ledger.runs.state)):
        array = open_array(group, name)
        if not np.array_equal(np.asarray(array[:]), values):
            array[:] = values
