"""The columns of a query's table, by the dimensions of what is asked for."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray

from glasscreep.analysis.creep import CreepFit
from glasscreep.campaign.stored_values import values_of_frames, values_of_run
from glasscreep.tasks.opening import dimensions
from glasscreep.tasks.reader import FrameReader
from glasscreep.tasks.strain_results import FIT_PARAMETERS

SPECIES = {1: "A", 2: "B"}

Columns = dict[str, Any]


def of_scalars(values: NDArray[Any], names: Sequence[str] = ()) -> Columns:
    """Give each frame a row: a column `value`, or one for each `name`."""
    columns = {"value": values} if values.ndim == 1 else dict(zip(names, values.T, strict=True))
    return {"frame": np.arange(len(values)), **columns}


def of_fit(parameters: NDArray[np.float64]) -> Columns:
    """Give the fit of a run, if there is one, a row."""
    there = 0 if np.isnan(parameters[0]) else 1
    return {
        name: [value] * there
        for name, value in zip(FIT_PARAMETERS, parameters.tolist(), strict=True)
    }


def of_creep_fit(parameters: NDArray[np.float64], stress: float) -> Columns:
    """Give the creep fit of a run, if there is one, a row, its modulus included."""
    columns = of_fit(parameters)
    fits = [CreepFit(*values) for values in zip(*columns.values(), strict=True)]
    return columns | {
        "creep_modulus": [fit.modulus(stress) for fit in fits],
        "creep_modulus_stderr": [fit.modulus_stderr(stress) for fit in fits],
    }


def of_looseness_histogram(counts: NDArray[np.float64], looseness: NDArray[np.float64]) -> Columns:
    """Give each bin of looseness a row: how many are in it, and what that says of them.

    Parameters
    ----------
    counts : (2, bins) float
        Particles that are tight, and that are loose; `nan` if there is nothing of the run.
    looseness : (bins,) float
        Middles of the bins [1].
    """
    if np.isnan(counts).any():
        counts, looseness = counts[:, :0], looseness[:0]
    tight, loose = counts
    both = tight + loose
    with np.errstate(invalid="ignore"):  # of no particle nothing can be said
        return {
            "looseness": looseness,
            "tight": tight.astype(np.int64),
            "loose": loose.astype(np.int64),
            "p_all": both / both.sum() * len(both),
            "p_loose": loose / loose.sum() * len(both),
            "loose_fraction": loose / both,
        }


class D2minColumns:
    """Columns of D2min: a row for each frame, its mean over all particles, and how many A are loose.

    Parameters
    ----------
    array : zarr.Array
        D2min of some interval.
    reader : FrameReader
        Reads species and frames.
    threshold : float
        A particle whose D2min exceeds this is loose [length**2].
    """

    def __init__(self, array: "zarr.Array[Any]", reader: FrameReader, threshold: float) -> None:
        self._array, self._reader, self._threshold = array, reader, threshold

    def of_run(self, run: Any) -> Columns:
        """Read what there is of a run."""
        pieces = values_of_frames(self._array, self._reader, run)
        summed = np.concatenate([self._summed(values) for values in pieces])
        frame = np.flatnonzero(np.isfinite(summed[:, 0]))
        return {"frame": frame, "mean": summed[frame, 0], "loose_fraction": summed[frame, 1]}

    def _summed(self, values: NDArray[Any]) -> NDArray[np.float64]:
        defined = ~np.isnan(values)
        with np.errstate(invalid="ignore"):  # nothing is there of frames not yet analysed
            mean = np.where(defined, values, 0.0).sum(axis=1) / defined.sum(axis=1)
        loose = (values[:, self._reader.species == 1] > self._threshold).mean(axis=1)
        return np.stack([mean, loose], axis=1)


class ArrayColumns:
    """Columns of any other result, by the dimensions of its array.

    Particles are summed up, by species, as mean and standard deviation; what has further
    dimensions gets a row for each of their coordinates.

    Parameters
    ----------
    array : zarr.Array
        With dimension run, and maybe frame, particle and others.
    reader : FrameReader
        Reads species, coordinates and frames.
    """

    def __init__(self, array: "zarr.Array[Any]", reader: FrameReader) -> None:
        self._array, self._reader = array, reader
        dims = dimensions(array)
        self._has_frames, self._has_particles = "frame" in dims, "particle" in dims
        self._coordinates = {
            dim: reader.column(dim) if reader.has(dim) else np.arange(length)
            for dim, length in zip(dims, array.shape, strict=True)
            if dim not in ("run", "frame", "particle")
        }

    def of_run(self, run: Any) -> Columns:
        """Read what there is of a run."""
        if not self._has_frames:
            values = values_of_run(self._array, self._reader, run)[None]
            return self._long(None, {"value": values if np.isfinite(values).any() else values[:0]})
        pieces = values_of_frames(self._array, self._reader, run)
        parts = [self._of_frames(values) for values in pieces]
        columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        there = np.zeros(len(next(iter(columns.values()))), bool)
        for values in columns.values():
            there |= np.isfinite(values).any(axis=tuple(range(1, values.ndim)))
        frame = np.flatnonzero(there)
        return self._long(frame, {name: values[frame] for name, values in columns.items()})

    def _of_frames(self, values: NDArray[Any]) -> dict[str, NDArray[Any]]:
        if not self._has_particles:
            return {"value": values}
        columns = {}
        for species, label in SPECIES.items():
            own = values[:, self._reader.species == species].astype(np.float64)
            there = np.isfinite(own)
            count = there.sum(axis=1)
            kept = np.where(there, own, 0.0)
            with np.errstate(invalid="ignore"):  # nothing is there of frames not yet analysed
                mean = kept.sum(axis=1) / count
                miss = np.where(there, own - mean[:, None], 0.0)
                columns[f"mean_{label}"] = mean
                columns[f"std_{label}"] = np.sqrt((miss**2).sum(axis=1) / count)
        return columns

    def _long(self, frame: NDArray[np.int64] | None, reduced: dict[str, NDArray[Any]]) -> Columns:
        shape = next(iter(reduced.values())).shape
        axes = list(np.indices(shape))
        columns: Columns = {} if frame is None else {"frame": frame[axes[0].ravel()]}
        for axis, (dim, values) in zip(axes[1:], self._coordinates.items(), strict=True):
            columns[dim] = values[axis.ravel()]
        return columns | {name: values.ravel() for name, values in reduced.items()}
