"""The command that writes runs to files for other programs."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from glasscreep.campaign.terminal import FAILED, CampaignDirectory, say, telling_errors


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
            help="Extended XYZ, LAMMPS dump, LAMMPS data, GSD (float32) or H5MD (float64).",
            show_default=False,
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            help="A file; with several runs a folder, or a pattern with {id}, {temperature}, "
            "{stress}, {replica}. Text may end in .gz.",
            show_default="the current folder, a name for each run",
        ),
    ] = None,
    run: Annotated[
        list[str] | None,
        typer.Option(help="Only this run: its id, or how it begins. Repeat it for more."),
    ] = None,
    temperature: Annotated[float | None, typer.Option(help="Only this temperature.")] = None,
    stress: Annotated[float | None, typer.Option(help="Only this stress.")] = None,
    replica: Annotated[int | None, typer.Option(help="Only this replica.")] = None,
    frames: Annotated[
        str | None,
        typer.Option(help="`last`, a number, or START:STOP:STEP.", show_default="all in the store"),
    ] = None,
    columns: Annotated[
        list[str] | None,
        typer.Option(
            "--with",
            help="Results of particles to add, such as looseness,d2min_10000. Repeat it for more.",
        ),
    ] = None,
    unwrapped: Annotated[
        bool, typer.Option("--unwrapped", help="Follow particles through the box's boundaries.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there.")] = False,
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
            runs=tuple(run or ()),
            temperature=temperature,
            stress=stress,
            replica=replica,
            frames=frames,
            columns=tuple(name.strip() for text in columns or () for name in text.split(",")),
            unwrapped=unwrapped,
            force=force,
        )
        damaged = write(asked, Console())
        for damage in damaged:
            say(Console(stderr=True), f"left out: {damage}")
        if damaged:
            raise typer.Exit(FAILED)


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(export)
