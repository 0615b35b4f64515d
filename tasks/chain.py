"""A chain of actions, each from one commit to the next, on all ranks."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path

from glasscreep.tasks.checkpoints import Checkpoints
from glasscreep.tasks.control import Control
from glasscreep.tasks.engine import Engine
from glasscreep.tasks.errors import Interrupted
from glasscreep.tasks.manifest import Manifest
from glasscreep.tasks.settings import Wanted
from glasscreep.tasks.trial import fastest


class Chain(ABC):
    """Actions that depend on what is committed alone. Every method is collective.

    An interrupted chain therefore equals an uninterrupted one: both read each checkpoint back.

    Parameters
    ----------
    engine : Engine
        LAMMPS.
    checkpoints : Checkpoints or None
        Where to commit; None on all ranks but the first.
    control : Control
        Told of the progress.
    """

    def __init__(self, engine: Engine, checkpoints: Checkpoints | None, control: Control) -> None:
        self.engine, self.control = engine, control
        self._checkpoints = checkpoints

    @abstractmethod
    def act(self, manifest: Manifest) -> None:
        """Do the action that follows what is committed, and commit it."""

    def advance(self, manifest: Manifest) -> bool:
        """Do the next action; tell whether to go on after it, or to stop as is asked."""
        try:
            self.act(manifest)
        except Interrupted:  # nothing of it is committed
            return False
        return not self.control.must_stop()

    @property
    def checkpoints(self) -> Checkpoints:
        """Where the first rank commits."""
        assert self._checkpoints is not None
        return self._checkpoints

    def manifest(self) -> Manifest:
        """Return what is committed."""
        return self.engine.ranks.first(lambda: self.checkpoints.manifest)

    def load(self) -> None:
        """Go to the committed checkpoint."""
        if (settings := self.manifest().settings) is not None:
            self.engine.settings = settings
        self._load_as_it_is()

    def choose_settings(self, wanted: Wanted, run: Callable[[int], None]) -> None:
        """Measure what suits the committed checkpoint, and commit the choice for good.

        Parameters
        ----------
        wanted : Wanted
            What is decided already.
        run : callable
            Runs so many steps of the dynamics.
        """
        with self.engine.timers.measuring("choosing", whole=True):
            settings = fastest(self.engine, wanted, self._load_as_it_is, run)
        self.engine.ranks.first(lambda: self.checkpoints.replace_manifest(settings=settings))
        self.control.progress(self.manifest())

    def commit(self, step: int, *, done: bool = False) -> None:
        """Commit the state of the engine as the checkpoint of a step."""
        first = self.engine.ranks.first
        path = first(lambda: self._new_file(step))
        self.engine.save(path)
        with self.engine.timers.measuring("committing"):
            first(lambda: self.checkpoints.commit_checkpoint(step, path, done=done))
        self.control.progress(self.manifest())

    def _load_as_it_is(self) -> None:
        self.engine.load(self.engine.ranks.first(lambda: self.checkpoints.verified_checkpoint()))

    def _new_file(self, step: int) -> Path:
        path = self.checkpoints.new_checkpoint(step)
        # LAMMPS could not tell a full disk from a folder that another attempt has taken away.
        with self.checkpoints.scratch.guarding(path):
            path.touch()
        return path
