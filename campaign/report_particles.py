"""A number for each particle of one frame of the run that a report shows."""

import numpy as np
from numpy.typing import NDArray

from glasscreep.campaign.report_source import Source
from glasscreep.tasks.damage import naming_damage
from glasscreep.tasks.errors import AbsentError


def particle_values(source: Source, name: str, frame: int) -> NDArray[np.float64]:
    """Read a result of the particles of the run shown.

    Parameters
    ----------
    source : Source
        Of the campaign; a run of it is shown.
    name : str
        A result with a number for each particle of each frame.
    frame : int
        From 0; there is none of a frame below 0.

    Returns
    -------
    (N,) float
        Nan of particles that it is not defined for.

    Raises
    ------
    AbsentError
        If it is not computed of that frame, or defined for none of its particles.
    DamagedError
        If it does not match its checksum, or was computed and is lost.
    """
    run, reader = source.run, source.reader
    assert run is not None
    computed = source.frames_analysed(name)
    if frame < 0 or not source.has(name):
        msg = f"{name} is not there of a frame of the run shown"
        raise AbsentError(msg)
    where = f"run {reader.run_ids[run]}, frame {frame}, array {name}"
    if frame < computed:
        reader.demand(name, run, frame, frame + 1, where)
    with naming_damage(where):
        values = reader.sharded(name).read(run, frame, frame + 1).astype(np.float64)
    if np.isnan(values).all():
        why = "defined for no particle" if frame < computed else "not computed yet"
        msg = f"{name} of frame {frame} of the run shown is {why}"
        raise AbsentError(msg)
    found: NDArray[np.float64] = values[0]
    return found
