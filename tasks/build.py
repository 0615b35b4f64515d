"""What a build of LAMMPS has of what a model asks of it."""

import os
import sys
from typing import Any

from glasscreep.tasks.settings import ACCELERATORS, Accelerator
from glasscreep.tasks.spelling import did_you_mean

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
        meant = did_you_mean(pair_style, lammps.available_styles("pair"))
        return (
            f"the model's pair style {pair_style}{f' ({meant})' if meant else ''} is not in "
            f"{_build(lammps)} "
            f"https://docs.lammps.org/pair_style.html tells which package has it: install a LAMMPS "
            f"with that package, or change the model."
        )
    if accelerator is None or accelerator in there:
        return None
    return (
        f"resources.accelerator is {accelerator!r}, but of the pair style {pair_style} there is only "
        f"{', '.join(there)} in {_build(lammps)} "
        f"Set resources.accelerator to one of the former, or leave it out to have the fastest one "
        f"measured{_other(lammps, accelerator)}."
    )


def _other(lammps: Any, accelerator: Accelerator) -> str:
    package = PACKAGES[accelerator]
    if package in lammps.installed_packages:
        return ""
    return f"; or install a LAMMPS with the package {package}"


def _build(lammps: Any) -> str:
    where = os.path.dirname(sys.modules[type(lammps).__module__].__file__ or "")
    packages = ", ".join(lammps.installed_packages) or "none"
    return f"LAMMPS {lammps.version()} of {where}, whose packages are: {packages}."
