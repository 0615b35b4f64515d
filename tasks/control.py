"""What a chain of actions is told while it goes on, and what it tells."""

import time
from collections.abc import Callable

from glasscreep.tasks.manifest import Manifest
from glasscreep.tasks.physics import derived_seed
from glasscreep.tasks.ranks import Ranks
from glasscreep.tasks.stop import Stop


class Control:
    """Between a chain of actions and the process that runs it, on every rank.

    Parameters
    ----------
    ranks : Ranks
        The ranks of the process.
    particles : int
        Number of particles, for the speed.
    stop : Stop
        What this rank was asked.
    tell : callable
        Takes one event, a dict; called on the first rank alone.
    """

    def __init__(
        self,
        ranks: Ranks,
        particles: int,
        stop: Stop,
        tell: Callable[[dict[str, object]], None],
    ) -> None:
        self.ranks = ranks
        self.seeds: dict[str, int] = {}
        self.refined: dict[str, int] = {}
        self.steps = self.frames = 0
        self._stop, self._tell = stop, tell
        self._particles = particles
        self._speed = 0.0

    def must_stop(self) -> bool:
        """Tell whether any rank was asked to stop. Collective."""
        return self.ranks.any(self._stop.is_asked)

    def must_abandon(self) -> bool:
        """Tell whether to abandon what is going on, as any rank must stop by now. Collective."""
        return self.ranks.any(self._stop.is_urgent)

    def seed(self, physics_id: str, purpose: str) -> int:
        """Derive a seed, and remember it for the provenance."""
        self.seeds[purpose] = derived_seed(physics_id, purpose)
        return self.seeds[purpose]

    def timed(self, action: Callable[[], None], steps: int) -> None:
        """Do a block of dynamics, and measure its speed."""
        started = time.perf_counter()
        action()
        self.steps += steps
        self._speed = self._particles * steps / max(time.perf_counter() - started, 1e-9)

    def progress(self, manifest: Manifest) -> None:
        """Tell what is committed."""
        if self.ranks.is_first:
            event: dict[str, object] = {"event": "progress", "step": manifest.step}
            event |= {"frames": manifest.frames, "unrelaxed": len(manifest.unrelaxed)}
            self._tell(event | {"particle_steps_per_s": self._speed})
