"""What `run` leaves the user with: a table of the points and a plot of the creep curves."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rich.table import Table

from glasscreep.campaign.figures.curves import curves, draw_curves
from glasscreep.campaign.figures.figure_strain import strain_name
from glasscreep.campaign.figures.style import panel_grid, save, styled
from glasscreep.campaign.opened import OpenedCampaign, open_campaign
from glasscreep.campaign.replicas import with_error
from glasscreep.campaign.report_source import Source
from glasscreep.campaign.states import State
from glasscreep.tasks.d2min_results import D2MIN
from glasscreep.tasks.damage import naming_damage
from glasscreep.tasks.errors import DamagedError
from glasscreep.tasks.lost_chunks import demand_chunks
from glasscreep.tasks.mending import computed_anew
from glasscreep.tasks.observable import Result
from glasscreep.tasks.opening import open_array, open_readable
from glasscreep.tasks.places import STORE
from glasscreep.tasks.reader import FrameReader
from glasscreep.tasks.strain_results import FIT

PLOT_FILE = "strain.png"


def summarise(directory: Path, results: Sequence[Result]) -> pd.DataFrame:
    """Sum up the finished runs of a campaign, point by point.

    Parameters
    ----------
    directory : Path
        Campaign directory.
    results : sequence of Result
        What was computed: strain, creep fit and the first D2min are shown if they are among it.

    Returns
    -------
    pandas.DataFrame
        A row for each point that has a finished run, with the number of those, and mean and
        standard error over replicas of the last frame's strain [1], the slope of the creep fit
        (strain per natural logarithm of time) [1] and, averaged over particles, the last
        interval's D2min [length**2].

    Raises
    ------
    DamagedError
        If any of these values is damaged or lost: names all that are.
    """
    runs = _finished(open_campaign(directory))
    values = _run_values(directory / STORE, runs, results)
    table = runs[["temperature", "stress"]].assign(**values)
    rows = []
    for point, group in table.groupby(["temperature", "stress"]):
        row: dict[str, object] = dict(zip(("temperature", "stress"), point, strict=True))
        row["runs"] = len(group)
        for name in values:
            row[name] = group[name].mean()
            row[f"{name}_error"] = group[name].sem() if len(group) > 1 else np.nan
        rows.append(row)
    return pd.DataFrame(rows)


def _finished(campaign: OpenedCampaign) -> pd.DataFrame:
    runs = campaign.runs
    return runs[runs["state"] == State.DONE.name.lower()]


def _run_values(
    store: Path, runs: pd.DataFrame, results: Sequence[Result]
) -> dict[str, list[float]]:
    stored = _Stored(store)
    first = {result.observable: result for result in reversed(results)}
    shown = {"strain": "strain", "slope": FIT, "d2min": D2MIN}
    values: dict[str, list[float]] = {name: [] for name in shown if shown[name] in first}
    run: Any
    for run in runs.itertuples():
        last = run.frames - 1
        if "strain" in values:
            values["strain"].append(stored.mean("strain", run, last))
        if "slope" in values:
            values["slope"].append(stored.mean(FIT, run, stored.slope) if last else np.nan)
        if "d2min" in values:
            result = first[D2MIN]
            frame = last - result.interval // stored.frame_interval
            values["d2min"].append(stored.mean(result.name, run, frame))
    if stored.damaged:
        raise DamagedError("\n".join(stored.damaged))
    return values


class _Stored:
    """Reads results of finished runs, and keeps count of what is damaged."""

    def __init__(self, store: Path) -> None:
        self.damaged: list[str] = []
        self._group, self._reader = open_readable(store), FrameReader(store)

    @property
    def frame_interval(self) -> int:
        """Steps from one frame to the next."""
        return int(self._reader.column("step")[0])

    @property
    def slope(self) -> int:
        """Where the slope is among the parameters of a creep fit."""
        names: list[str] = self._reader.column("fit_parameter").tolist()
        return names.index("slope")

    def mean(self, name: str, run: Any, at: int) -> float:
        """Take a value of a run, averaged if it is one per particle; nan if it is damaged."""
        try:
            return self._mean(name, run, at)
        except DamagedError as error:
            self.damaged.append(str(error))
            return np.nan

    def _mean(self, name: str, run: Any, at: int) -> float:
        array, reader, row = open_array(self._group, name), self._reader, run.Index
        where, mend = f"run {run.id}, array {name}", computed_anew(run.id)
        if reader.is_sharded(name):
            reader.sharded(name).demand(row, at, at + 1, where, mend)
        demand_chunks(array, reader.store, run.id, row)
        with naming_damage(where, mend, None if reader.is_sharded(name) else array, row):
            values = reader.of_frames(name, row, at, at + 1)
        known = values[~np.isnan(values)]
        if not known.size:
            msg = f"{where} is damaged: it was computed, but holds no number. {mend}"
            raise DamagedError(msg)
        return float(known.mean(dtype=np.float64))


def summary_table(points: pd.DataFrame) -> Table:
    """Lay a summary out for the terminal, with standard errors over replicas."""
    table = Table(title="mean ± standard error over replicas", box=None, padding=(0, 1))
    headings = {"strain": "last strain", "slope": "strain per ln t", "d2min": "last D2min"}
    shown = {name: text for name, text in headings.items() if name in points}
    for heading in ("temperature", "stress", "runs", *shown.values()):
        table.add_column(heading, justify="right", overflow="fold")
    for row in points.to_dict("records"):
        cells = [f"{row['temperature']:g}", f"{row['stress']:g}", str(row["runs"])]
        cells += [with_error(row[name], row[f"{name}_error"]) for name in shown]
        table.add_row(*cells)
    return table


def plot_strain(directory: Path) -> Path:
    """Plot strain against time on a logarithmic axis, a curve a point, averaged over replicas.

    Of many points, those that one colour bar can tell apart; with standard errors.

    Parameters
    ----------
    directory : Path
        Campaign directory, where the plot is saved.

    Returns
    -------
    Path
        The PNG file.
    """
    source = Source.of(directory)
    path = directory / PLOT_FILE
    with styled():
        figure, (axes,) = panel_grid(1)
        draw_curves(axes, curves(source, "strain", "value"), strain_name(source), source.system)
        axes.set_title(source.campaign.name)
        save(figure, path)
    return path
