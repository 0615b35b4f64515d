"""Strain of chosen points against time, read from the store beside the scheduler's loop."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from glasscreep.campaign.replicas import in_common
from glasscreep.tasks.errors import GlasscreepError

if TYPE_CHECKING:
    import pandas as pd

_logger = logging.getLogger("distributed.dashboard.glasscreep")
Point = tuple[float, float]
"""Temperature and stress."""
KEPT_MOST = 256


@dataclass(frozen=True, slots=True)
class Curve:
    """Strain of one point, averaged over the same replicas all along, however far others are."""

    time: NDArray[np.float64]
    """(frames,) Time under load [time]."""
    mean: NDArray[np.float64]
    """(frames,) Mean over replicas."""
    spread: NDArray[np.float64]
    """(frames,) Standard deviation over replicas; 0 where there is one."""
    replicas: NDArray[np.int64]
    """(frames,) Over how many replicas."""
    trouble: str = ""
    """Why it could not be read, or nothing."""


_NONE = np.empty(0)
EMPTY = Curve(_NONE, _NONE, _NONE, np.empty(0, np.int64))


def curve_of(table: "pd.DataFrame") -> Curve:
    """Average the strain of the runs of one point, those that `in_common` chooses.

    Parameters
    ----------
    table : pandas.DataFrame
        A row for each frame of each run, with ``run``, ``time`` and ``value``.
    """
    if table.empty:
        return EMPTY
    values = (
        in_common(table).groupby("time")["value"].agg(["mean", "std", "count"]).fillna({"std": 0.0})
    )
    numbers = values.to_numpy(float)
    return Curve(
        values.index.to_numpy(float), numbers[:, 0], numbers[:, 1], numbers[:, 2].astype(np.int64)
    )


def read_curve(directory: Path, point: Point) -> Curve:
    """Read the strain of one point, of the frames committed so far; whatever fails, it says why."""
    from glasscreep.campaign.query import query_table

    try:
        table = query_table(directory, "strain", temperature=point[0], stress=point[1])
        return curve_of(table)
    except GlasscreepError as error:
        return replace(EMPTY, trouble=str(error))
    except Exception as error:  # a page that says nothing would wait for it for ever
        _logger.exception("the strain of a point can't be read")
        return replace(EMPTY, trouble=f"{type(error).__name__}: {error}")


class Curves:
    """Reads curves one at a time in a thread, and again when their points have new frames.

    All open pages share it.

    Parameters
    ----------
    directory : Path
        Campaign directory.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="campaign-page")
        self._known: dict[Point, tuple[float, Curve]] = {}
        self._waiting: dict[Point, asyncio.Task[None]] = {}
        self._listeners: set[Callable[[], None]] = set()

    def of(self, point: Point, frames: float) -> Curve | None:
        """Return what is known of a point that has so many frames; None at first.

        What is not known, or has new frames, is read; listeners are told when it is there.
        """
        known = self._known.get(point)
        if (known is None or known[0] != frames) and point not in self._waiting:
            self._waiting[point] = asyncio.get_running_loop().create_task(self._read(point, frames))
        return known[1] if known else None

    def follow(self, tell: Callable[[], None]) -> None:
        """Call a function, in the event loop, whenever a curve was read."""
        self._listeners.add(tell)

    def unfollow(self, tell: Callable[[], None]) -> None:
        """Call it no more."""
        self._listeners.discard(tell)

    def close(self) -> None:
        """Read nothing more."""
        self._thread.shutdown(wait=False, cancel_futures=True)
        for task in self._waiting.values():
            task.cancel()

    async def _read(self, point: Point, frames: float) -> None:
        loop = asyncio.get_running_loop()
        try:
            curve = await loop.run_in_executor(self._thread, read_curve, self._directory, point)
        finally:
            del self._waiting[point]
        self._known.pop(point, None)
        self._known[point] = (frames, curve)
        while len(self._known) > KEPT_MOST:
            del self._known[next(iter(self._known))]
        for tell in tuple(self._listeners):
            tell()
