"""What can go wrong between a campaign and SLURM. Messages are for the user."""


class SlurmError(Exception):
    """SLURM refuses, or its programs can't be run."""


class SlurmUnreachableError(SlurmError):
    """SLURM does not answer, or has no room, for now: nothing is known, and nothing is lost."""
