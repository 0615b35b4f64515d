"""The command that writes runs to files for other programs."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from glasscreep.campaign.completion import complete_columns
from glasscreep.campaign.selection_options import (
    Replicas,
    RunIds,
    Selection,
    Stresses,
    Temperatures,
    Where,
)
from glasscreep.campaign.terminal import (
    FAILED,
    CampaignDirectory,
    Overwrite,
    say,
    telling_errors,
)


class ExportFormat(StrEnum):
    """What `export` writes."""

    EXTXYZ = "extxyz"
    DUMP = "dump"
    DATA = "data"
    GSD = "gsd"
    H5MD = "h5md"


def export(
    directory: CampaignDirectory,
    form: Annotated[
        ExportFormat,
        typer.Option(
            "--format",
            metavar="FORMAT",
            help="extxyz (extended XYZ), dump or data (of LAMMPS), gsd (float32) or h5md.",
            show_default=False,
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            help="A file; with several runs a folder, or a pattern with {id}, {temperature}, "
            "{stress}, {replica}. Text may end in .gz.",
            show_default="the current folder, a name for each run",
        ),
    ] = None,
    temperature: Temperatures = None,
    stress: Stresses = None,
    replica: Replicas = None,
    where: Where = None,
    run: RunIds = None,
    frames: Annotated[
        str | None,
        typer.Option(
            metavar="FRAMES",
            help="`last`, a number from 0, or START:STOP:STEP.",
            show_default="all in the store",
        ),
    ] = None,
    columns: Annotated[
        list[str] | None,
        typer.Option(
            "--with",
            metavar="RESULTS",
            help="Results of particles to add, such as looseness,d2min_10000. Repeat it for more.",
            show_default="none",
            autocompletion=complete_columns,
        ),
    ] = None,
    unwrapped: Annotated[
        bool, typer.Option("--unwrapped", help="Follow particles through the box's boundaries.")
    ] = False,
    overwrite: Overwrite = False,
) -> None:
    """Write runs to files that OVITO, ASE, MDAnalysis and LAMMPS read, also while they run.

    One file for each run, a frame at a time; it is there once it is whole.

    Example: [bold]glasscreep export demo --format extxyz --temperature 0.2 --frames 0:20:5
    --with d2min_1000[/]
    """
    with telling_errors():
        from glasscreep.campaign.export import Export
        from glasscreep.campaign.export import export as write

        asked = Export(
            directory=directory,
            form=form.value,
            output=output,
            selection=Selection(temperature, stress, replica, where, run),
            frames=frames,
            columns=tuple(name.strip() for text in columns or () for name in text.split(",")),
            unwrapped=unwrapped,
            overwrite=overwrite,
        )
        left_out = write(asked, Console())
        for told in left_out:
            say(Console(stderr=True), f"left out: {told}")
        if left_out:
            raise typer.Exit(FAILED)


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(export)
