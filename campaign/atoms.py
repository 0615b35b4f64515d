"""Frames and runs of a campaign as ASE and MDAnalysis hold them."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from glasscreep.tasks.errors import AbsentError
from glasscreep.tasks.libraries import library
from glasscreep.tasks.model_card import NAMES
from glasscreep.tasks.places import STORE
from glasscreep.tasks.reader import reader_of
from glasscreep.tasks.stored_frames import StoredFrames

if TYPE_CHECKING:
    from ase import Atoms
    from MDAnalysis import Universe

INSTEAD = "read positions from `glasscreep.open(DIR).dataset`"


def frame_atoms(directory: Path, run_row: int, frame: int, columns: Sequence[str] = ()) -> "Atoms":
    """Give one frame of a run to ASE.

    Parameters
    ----------
    directory : Path
        Campaign directory.
    run_row : int
        Row of the run.
    frame : int
        Number of the frame, from 0; below 0 from the end of those in the store.
    columns : sequence of str
        Results of particles, such as `looseness`, to have in `arrays`.

    Returns
    -------
    ase.Atoms
        Positions (N, 3) float64 from the corner of the box, within it; `cell`, periodic. Species A
        and B are the atomic numbers 1 and 2, as where ASE itself reads types of LAMMPS. In
        `arrays`: `name` (N,) A or B, `id` (N,), `image` (N, 3), with which `positions + image @
        cell` is unwrapped, and the columns. In `info`: campaign, run, temperature,
        applied_stress, replica, seed, frame, step, time, units.

    Raises
    ------
    AbsentError
        If the frame, or a result of it, is not there; it says how many frames are.
    TrajectoryError
        If ASE is not installed.
    """
    ase = library("ase", "a frame as atoms", INSTEAD)
    frames = StoredFrames(reader_of(directory / STORE), run_row, columns)
    number = frames.number(frame)
    frames.demand_results([number])
    known, contents = frames.frame(number), frames.contents
    atoms: Atoms = ase.Atoms(
        numbers=known.species,
        positions=known.positions,
        cell=known.box,
        pbc=True,
        masses=np.array(contents.masses)[known.species - 1],
    )
    atoms.new_array("id", known.ids)
    atoms.new_array("name", np.array(NAMES)[known.species - 1])
    atoms.new_array("image", known.image)
    for name, values in known.values.items():
        atoms.new_array(name, values)
    when = {"frame": number, "step": known.step, "time": known.time}
    atoms.info.update({**contents.about, **when, "units": contents.units})
    return atoms


def universe(directory: Path, run_row: int) -> "Universe":
    """Give a run to MDAnalysis, which reads its frames as it comes to them.

    Parameters
    ----------
    directory : Path
        Campaign directory.
    run_row : int
        Row of the run.

    Returns
    -------
    MDAnalysis.Universe
        Of the frames in the store at this moment. Positions (N, 3) are float32, as MDAnalysis has
        them, within the box, which may lean. Atoms have `types` and `names` A and B, `ids` and
        `masses`; a time step has `time`, and `data["step"]`.

    Raises
    ------
    AbsentError
        If none of the run's frames is in the store.
    TrajectoryError
        If MDAnalysis is not installed.
    """
    mdanalysis = library("MDAnalysis", "a run as a universe", INSTEAD)
    frames = StoredFrames(reader_of(directory / STORE), run_row)
    if not frames.stored:
        msg = (
            f"run {frames.run_id} has no frame in the store yet, of {frames.committed} that are "
            "committed: positions come when a file of frames is full, or the run ends."
        )
        raise AbsentError(msg)
    from glasscreep.campaign.mdanalysis_reader import StoreReader

    names, species = np.array(NAMES), frames.reader.species
    made: Any = mdanalysis.Universe.empty(len(species), trajectory=False)
    named = names[species - 1].astype(object)
    for attribute, values in (
        ("names", named),
        ("types", named),
        ("ids", frames.ids),
        ("masses", np.array(frames.contents.masses)[species - 1]),
    ):
        made.add_TopologyAttr(attribute, values)
    made.trajectory = StoreReader(frames)
    return made
