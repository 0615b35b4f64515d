"""What the campaign's page shows: the last snapshot, and how fast frames come."""

import asyncio
import json
import time
from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glasscreep.campaign.snapshot import Snapshot, content_of

RATE_WINDOW_S = 600.0
"""Long enough that a campaign whose frames take minutes has a rate."""
LAST_LOOK_S = 0.5
"""How long the scheduler outlives the last snapshot, so that open pages get it."""


class Feed:
    """Holds the last snapshot for pages that are open; no file is read for it.

    Parameters
    ----------
    snapshot : Snapshot
        The first one.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        """The last snapshot."""
        self._viewers: set[Callable[[], None]] = set()
        self._window = deque([(time.monotonic(), snapshot.frames_done)])
        self._points: tuple[Snapshot, NDArray[np.float64]] | None = None

    @property
    def frames_per_s(self) -> float:
        """Frames committed per second, over the last ten minutes [1 / s]."""
        (begin, first), (end, last) = self._window[0], self._window[-1]
        # Of a run that fails, no frame counts any more.
        return max(last - first, 0) / (end - begin) if end > begin else 0.0

    @property
    def points(self) -> NDArray[np.float64]:
        """(points, 5) temperature, stress, frames done, frames asked for, failed runs."""
        if self._points is None or self._points[0] is not self.snapshot:
            self._points = (self.snapshot, np.array(self.snapshot.points, float).reshape(-1, 5))
        return self._points[1]

    def show(self, snapshot: Snapshot) -> None:
        """Have every open page show a snapshot."""
        present = time.monotonic()
        self.snapshot = snapshot
        self._window.append((present, snapshot.frames_done))
        while len(self._window) > 2 and present - self._window[0][0] > RATE_WINDOW_S:
            self._window.popleft()
        for tell in tuple(self._viewers):
            tell()

    async def show_last(self, snapshot: Snapshot) -> None:
        """Show a snapshot after which the scheduler ends."""
        self.show(snapshot)
        if self._viewers:
            await asyncio.sleep(LAST_LOOK_S)

    def follow(self, tell: Callable[[], None]) -> None:
        """Call a function, in the event loop, whenever there is a new snapshot."""
        self._viewers.add(tell)

    def unfollow(self, tell: Callable[[], None]) -> None:
        """Call it no more."""
        self._viewers.discard(tell)

    def as_json(self) -> str:
        """Write the last snapshot as `status.json` has it, and ``frames_per_s``."""
        content: dict[str, Any] = {**content_of(self.snapshot), "frames_per_s": self.frames_per_s}
        return json.dumps(content)
