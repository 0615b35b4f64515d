"""What can go wrong in a unit of work, told apart by what to do about it."""


class GlasscreepError(Exception):
    """Base of every error whose message is meant for the user."""


class DivergedError(GlasscreepError):
    """The physics went wrong: lost atoms, not-a-number, collapsed box. Never retried."""


class DamagedError(GlasscreepError):
    """Stored data do not match their checksum, or a file that must be there is not."""


class NewerError(GlasscreepError):
    """What is stored was written by a later version of glasscreep, which alone can read it."""


class FencedError(GlasscreepError):
    """Another attempt has taken the run over; this writer must stop without a trace."""


class StorageError(GlasscreepError):
    """A file could not be written: disk full, quota, read-only. Names the path."""


class UnfitError(GlasscreepError):
    """LAMMPS, as it is built here, lacks what is asked of it. Never retried."""


class ProtocolError(GlasscreepError):
    """A protocol of the user's fails, or gives what can't be held. Never retried."""


class OwnAnalysisError(GlasscreepError):
    """An analysis function of the user's fails, or gives what can't be stored. Never retried."""


class UnstartedError(GlasscreepError):
    """A process that functions of the user's are called in did not start: no fault of theirs."""


class Interrupted(Exception):  # noqa: N818 - nothing went wrong: a stop is obeyed
    """What was going on is abandoned, as a stop was asked for; raised on every rank alike."""


class EngineError(GlasscreepError):
    """LAMMPS failed for a reason that is not the physics."""


class LoneEngineError(EngineError):
    """LAMMPS failed on this rank alone; the others wait for it and must be ended."""

    def __init__(self, message: str, kind: str) -> None:
        super().__init__(message)
        self.kind = kind
        """What to make of it, as of an `Outcome`."""


class AbsentError(GlasscreepError):
    """What was asked for is not there, or not yet: says what there is, or what computes it.

    Of runs at a point, frames, results and what figures are made from alike: whoever asks goes on
    without. What can't be asked so is refused, and what should be there and is not is damaged.
    """


class ModelFileError(GlasscreepError):
    """A model file can't be used: damaged, of another kind, or too new. Nothing in it was run."""


class AbsentModelError(ModelFileError, AbsentError):
    """There is no model file where one was said to be."""


class NewerModelError(ModelFileError, NewerError):
    """A model file was written by a later version of glasscreep, which alone can read it."""


class UntrustedModelError(ModelFileError):
    """A model file holds something that a model has no need of. Nothing in it was run."""


class TrajectoryError(GlasscreepError):
    """A trajectory can't be read, or isn't what the model was learnt from."""


class RefusedTrajectoryError(TrajectoryError):
    """A trajectory can't be taken as it was given: not there, or more has to be said of it."""
