"""The command line's way to the looseness of trajectories of other programs."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from glasscreep.campaign.terminal import Overwrite, telling_errors

PANEL = "On other people's data"

Model = Annotated[
    Path, typer.Argument(metavar="MODEL", help="A model file, .skops.", show_default=False)
]
Files = Annotated[
    list[Path],
    typer.Argument(
        metavar="FILE...",
        help="Trajectories: LAMMPS text dumps or extended XYZ, plain or .gz, GSD, H5MD, or what "
        "MDAnalysis reads.",
        show_default=False,
    ),
]


def looseness(
    model: Model,
    files: Files,
    output: Annotated[
        Path,
        typer.Option(metavar="PATH", help="What to write: .xyz, .dump, these with .gz, or .zarr."),
    ] = Path("looseness.xyz"),
    species: Annotated[
        str | None,
        typer.Option(
            metavar="TYPES",
            help="Which type is which species, as TYPE=SPECIES,...",
            show_default="1=A,2=B,A=A,B=B",
        ),
    ] = None,
    units: Annotated[
        str | None,
        typer.Option(
            metavar="UNITS",
            help="Units of the files, by LAMMPS's name, such as metal.",
            show_default="those that a file names, else the model's",
        ),
    ] = None,
    length_scale: Annotated[
        float | None,
        typer.Option(
            metavar="NUMBER",
            help="Lengths of the model in one length of the files, such as 0.37 for a diameter of "
            "2.7 angstrom.",
            show_default="1",
        ),
    ] = None,
    topology: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="For MDAnalysis, where the trajectory has no types: a file that has.",
            show_default="none",
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Go on where frames are unlike the model's.")
    ] = False,
    overwrite: Overwrite = False,
) -> None:
    """Compute the looseness of the particles of a trajectory, whatever made it.

    The output is for OVITO and ASE; particles of species that the model does not speak of have nan.

    Example: [bold]glasscreep looseness model.skops shear.dump.gz --species 1=A,2=B --output
    loose.dump[/]
    """
    if length_scale is not None and not 0 < length_scale < float("inf"):
        msg = f"--length-scale must be finite and above 0, got {length_scale}"
        raise typer.BadParameter(msg)
    with telling_errors():
        from glasscreep.campaign.looseness_run import Asked, write_looseness

        asked = Asked(
            files=tuple(files),
            output=output,
            topology=topology,
            species=species,
            units=units,
            length_scale=length_scale,
            force=force,
            overwrite=overwrite,
        )
        write_looseness(model, asked, Console())


def add_to(app: typer.Typer) -> None:
    """Add these commands to an application."""
    app.command(rich_help_panel=PANEL)(looseness)
