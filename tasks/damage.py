"""Naming what is damaged, when Zarr finds that stored bytes don't match their checksum."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glasscreep.tasks.analysed import ANALYSED
from glasscreep.tasks.errors import DamagedError
from glasscreep.tasks.places import RUNS


@contextmanager
def naming_damage(where: str) -> Iterator[None]:
    """Turn what Zarr and its codecs raise on wrong bytes into an error that says where."""
    try:
        yield
    except (ValueError, RuntimeError) as error:
        msg = f"{where} is damaged: {error}"
        raise DamagedError(msg) from error


def demand_there(values: NDArray[Any], start: int, where: str) -> None:
    """Refuse frames without any value: they were computed, but their file is lost.

    Parameters
    ----------
    values : (frames, N) float
        As they were read.
    start : int
        Number of the first frame.
    where : str
        Which run, frames and array, for the message.

    Raises
    ------
    DamagedError
        Naming the first such frame.
    """
    lost = np.isnan(values).reshape(len(values), -1).all(axis=1)
    if lost.any():
        msg = f"{where}: frame {start + int(np.argmax(lost))} is not there; its file is lost"
        raise DamagedError(msg)


def computed_anew(run_id: str) -> str:
    """Say how to have damaged results of a run computed anew."""
    return f"Remove {RUNS}/{run_id}/{ANALYSED}, and `glasscreep run` computes it anew"
