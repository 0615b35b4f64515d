"""Looseness of trajectories that no campaign made."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from glasscreep.campaign.live import telling_progress
from glasscreep.campaign.outputs import demand_folder, demand_none
from glasscreep.campaign.problems import RefusedError
from glasscreep.campaign.terminal import say
from glasscreep.tasks.errors import TrajectoryError
from glasscreep.tasks.looseness_files import ENDINGS, writing_looseness
from glasscreep.tasks.model_card import NAMES, ModelCard
from glasscreep.tasks.model_file import LooseModelFile, load_model, looseness_of
from glasscreep.tasks.trajectories import read_frames
from glasscreep.tasks.trajectory_fit import misfits
from glasscreep.tasks.trajectory_frame import Frame, in_words
from glasscreep.tasks.units import SYSTEMS

DEFAULT_SPECIES = {"1": 1, "2": 2, "A": 1, "B": 2}


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be computed, of what, and to where."""

    files: tuple[Path, ...]
    """Trajectories, whose frames follow each other in the output."""
    output: Path
    """What to write."""
    topology: Path | None = None
    """A file that has the types, where the trajectories have none."""
    species: str | None = None
    """Such as `Cu=A,Zr=B`; None for types 1, 2 or names A, B."""
    units: str | None = None
    """Of the trajectories, by LAMMPS's name; None for the model's."""
    length_scale: float | None = None
    """Lengths of the model in one of the trajectories; None for 1."""
    force: bool = False
    """Whether to go on where frames are unlike those that the model was learnt from."""
    overwrite: bool = False
    """Whether an output that is there may be replaced."""


@dataclass(frozen=True, slots=True)
class Total:
    """What is told at the end."""

    frames: int = 0
    """Number of frames."""
    particles: int = 0
    """With a looseness, of all frames."""
    sum: float = 0.0
    """Of their looseness."""
    loose: int = 0
    """Those above 0.5."""


def write_looseness(model_file: Path, asked: Asked, console: Console) -> Total:
    """Compute the looseness of trajectories, and write it to a file.

    Parameters
    ----------
    model_file : Path
        As `save_model` wrote it.
    asked : Asked
        Of what, and to where.
    console : Console
        Where progress, and a summary, are shown.

    Returns
    -------
    Total

    Raises
    ------
    RefusedError
        If what is asked for can't be; nothing was written.
    GlasscreepError
        If a file can't be read or written, or does not fit the model; nothing was written.
    """
    _check(asked)
    model = load_model(model_file)
    species = species_of(asked.species, model.card)
    total = Total()
    with (
        writing_looseness(asked.output, model.card) as write,
        telling_progress(console, "reading") as tell,
    ):
        for path in asked.files:
            for number, frame in enumerate(read_frames(path, species, asked.topology)):
                with _naming(path, number, frame):
                    if number == 0:
                        _demand_fit(path, frame, model.card, asked)
                    looseness = _looseness(frame, model, asked.length_scale or 1.0)
                write(frame, looseness)
                total = _added(total, looseness)
                tell(f"{path.name}: {total.frames} frames")
    say(console, _summary(total, model.card, asked.output))
    return total


def species_of(text: str | None, card: ModelCard) -> dict[str, int]:
    """Read which type is which species.

    Parameters
    ----------
    text : str or None
        Such as `Cu=A,Zr=B` or `1=1,3=2`; None for types 1, 2 and names A, B.
    card : ModelCard
        Of the model, which has radii for so many species.

    Returns
    -------
    dict
        Number of the species, from 1, by type, element or name.

    Raises
    ------
    RefusedError
        If it is not written like this.
    """
    known = NAMES[: len(card.interstice_preset().radii)]
    numbers = {name: number for number, name in enumerate(known, 1)}
    numbers |= {str(number): number for number in numbers.values()}
    if text is None:
        return {name: number for name, number in DEFAULT_SPECIES.items() if name in numbers}
    found: dict[str, int] = {}
    for pair in text.split(","):
        label, _, name = (part.strip() for part in pair.partition("="))
        if not label or name not in numbers or label in found:
            msg = (
                f"--species {text}: {pair!r} must be TYPE=SPECIES, each type once, and SPECIES one "
                f"of {', '.join(numbers)}. Give, for example, --species Cu=A,Zr=B."
            )
            raise RefusedError(msg)
        found[label] = numbers[name]
    return found


def _check(asked: Asked) -> None:
    if asked.units not in (None, *SYSTEMS):
        msg = f"--units {asked.units}: units must be one of LAMMPS's, {', '.join(SYSTEMS)}."
        raise RefusedError(msg)
    output = asked.output
    if not output.name.endswith(ENDINGS):
        msg = f"--output {output}: its ending must be one of {', '.join(ENDINGS)}."
        raise RefusedError(msg)
    if output.resolve() in [path.resolve() for path in asked.files]:
        msg = f"--output {output} is one of the files to read. Give it another name."
        raise RefusedError(msg)
    demand_folder(output)
    demand_none((output,), replace=asked.overwrite)
    if os.path.isdir(output) and not (output / "zarr.json").exists():
        msg = (
            f"{output} is a folder that is no Zarr store, and is not replaced. Remove it yourself."
        )
        raise RefusedError(msg)


def _demand_fit(path: Path, frame: Frame, card: ModelCard, asked: Asked) -> None:
    """Refuse a trajectory that is unlike what the model was learnt from."""
    stated = asked.units or frame.units or card.units
    if stated != card.units and asked.length_scale is None:
        msg = (
            f"{path} is in units {stated}, and the model in {card.units}. Say with --length-scale "
            "how many lengths of the model are in one of the file; for a metal in angstrom and a "
            "model in units lj, 1 over the diameter of its A particles."
        )
        raise RefusedError(msg)
    found = misfits(frame, card, asked.length_scale or 1.0)
    if found and not asked.force:
        msg = (
            f"{path} is unlike what the model was learnt from: {'; '.join(found)}. Give the right "
            "--species or --length-scale; --force computes it all the same, whatever it means."
        )
        raise RefusedError(msg)


@contextmanager
def _naming(path: Path, number: int, frame: Frame) -> Iterator[None]:
    """Say of what frame the numerics complain."""
    try:
        yield
    except ValueError as error:
        msg = (
            f"{path}, frame {number} at step {frame.step}: {in_words(error, frame.ids)}. Correct "
            "the frame, or leave it out."
        )
        raise TrajectoryError(msg) from error


def _looseness(frame: Frame, model: LooseModelFile, scale: float) -> NDArray[np.float64]:
    return looseness_of(frame.positions * scale, frame.box * scale, frame.species, model)


def _added(total: Total, looseness: NDArray[np.float64]) -> Total:
    known = looseness[np.isfinite(looseness)]
    return replace(
        total,
        frames=total.frames + 1,
        particles=total.particles + len(known),
        sum=total.sum + float(known.sum()),
        loose=total.loose + int((known > 0.5).sum()),
    )


def _summary(total: Total, card: ModelCard, output: Path) -> str:
    of = max(total.particles, 1)
    return (
        f"{output}: frames {total.frames}, mean looseness {total.sum / of:.4f} of {card.species} "
        f"particles, {100 * total.loose / of:.2f} % above 0.5"
    )
