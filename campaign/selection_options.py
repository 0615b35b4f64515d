"""Which runs a command is about: the same options, of the same meaning, for all that take runs."""

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from glasscreep.campaign.completion import complete_run
from glasscreep.tasks.errors import AbsentError

if TYPE_CHECKING:
    from glasscreep.campaign.opened import OpenedCampaign

Temperatures = Annotated[
    list[float] | None,
    typer.Option(
        "--temperature",
        metavar="NUMBER",
        help="Only runs at this temperature, in units of energy. Repeat it for more.",
        show_default="all",
    ),
]
Stresses = Annotated[
    list[float] | None,
    typer.Option(
        "--stress",
        metavar="NUMBER",
        help="Only runs under this stress, in units of energy / length^3. Repeat it for more.",
        show_default="all",
    ),
]
Replicas = Annotated[
    list[int] | None,
    typer.Option(
        "--replica",
        metavar="NUMBER",
        help="Only runs of this replica, from 0. Repeat it for more.",
        show_default="all",
    ),
]
Where = Annotated[
    str | None,
    typer.Option(
        "--where",
        metavar="EXPR",
        help="Only runs of which this is true, such as \"stress > 0.3 and state == 'done'\"; "
        "columns: temperature, stress, replica, state, frames, id.",
        show_default="all",
    ),
]
RunIds = Annotated[
    list[str] | None,
    typer.Option(
        "--run",
        metavar="ID",
        help="Only this run: its id, or how it begins. Repeat it for more.",
        show_default="all",
        autocompletion=complete_run,
    ),
]


@dataclass(frozen=True, slots=True)
class Selection:
    """Which runs are meant: those that meet all of these, of each any of its values."""

    temperature: list[float] | None = None
    """Temperatures [energy]; None for all."""
    stress: list[float] | None = None
    """Stresses [energy / length**3]; None for all."""
    replica: list[int] | None = None
    """Replicas; None for all."""
    where: str | None = None
    """An expression of their columns; None for all."""
    run: list[str] | None = None
    """Ids, or beginnings of ids; None for all."""

    def __str__(self) -> str:
        """Write it as on the command line."""
        words: list[str] = []
        for name in self.__slots__:
            value = getattr(self, name)
            for one in (value,) if isinstance(value, str) else value or ():
                words += [f"--{name}", str(one)]
        return shlex.join(words)

    def of(self, campaign: "OpenedCampaign") -> "OpenedCampaign":
        """Choose these runs of a campaign; there may be none of which `where` is true.

        Raises
        ------
        AbsentError
            If no run has one of the values.
        RefusedError
            If `where` can't be understood, or no run, or more than one, is meant by one of `run`.
        """
        if self == ALL:
            return campaign
        for name in ("temperature", "stress", "replica"):
            for value in getattr(self, name) or ():  # of several each must be there, too
                campaign.select(**{name: value})
        return campaign.select(self.temperature, self.stress, self.replica, self.where, self.run)

    def some_of(self, campaign: "OpenedCampaign") -> "OpenedCampaign":
        """Choose as `of` does; AbsentError if `where` is true of none."""
        chosen = self.of(campaign)
        if chosen.rows is not None and not len(chosen.rows):
            msg = (
                f"of the runs of {campaign.directory} that are chosen none meets --where "
                f"{self.where!r}"
            )
            raise AbsentError(msg)
        return chosen


ALL = Selection()
