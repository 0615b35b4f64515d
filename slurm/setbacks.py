"""How long a pool waits after what went wrong, and when it gives up."""

import logging
from dataclasses import dataclass, field

EARLY_DEATHS = 3
FIRST_BACKOFF_S, LONGEST_BACKOFF_S, MOST_DOUBLINGS = 5.0, 300.0, 6
THEN = (
    "\nMend the cause, then give `glasscreep resume`; if it is in [cluster], change the campaign file "
    "and give `glasscreep submit` again."
)

_logger = logging.getLogger(__name__)


class AllocationsFailError(Exception):
    """Allocations die one after the other. The message is for the user."""


@dataclass(slots=True)
class Setbacks:
    """Failures in a row. Instants are those of a clock that never goes back [s]."""

    trouble: str = ""
    """What went wrong last, until an allocation has proven of use; for the status."""
    failures: int = 0
    """Since the last allocation that has."""
    refusals: int = 0
    """Since SLURM last took a job."""
    early: list[str] = field(default_factory=list)
    """Jobs that died just after their start, since one has lived for longer."""
    next_try: float = 0.0
    """When the next allocation may be asked for."""

    def happened(self, trouble: str, now: float) -> None:
        """Wait twice as long as after the last failure."""
        if now >= self.next_try:  # else it failed along with another one
            doublings = min(self.failures, MOST_DOUBLINGS)
            self.next_try = now + min(FIRST_BACKOFF_S * 2**doublings, LONGEST_BACKOFF_S)
            self.failures += 1
        self.trouble = trouble.rstrip(".")
        _logger.warning("%s; the next is asked for in %.0f s", self.trouble, self.next_try - now)

    def proven(self) -> None:
        """Begin anew: an allocation has lived for long enough to be of use."""
        self.failures, self.trouble = 0, ""

    def died_early(self, job_id: str) -> bool:
        """Count a job that died just after its start; tell whether they are too many in a row."""
        self.early.append(job_id)
        return len(self.early) >= EARLY_DEATHS

    def refused(self, pool: str, error: Exception) -> None:
        """Count a job that SLURM did not take.

        Raises
        ------
        AllocationsFailError
            If it is the last of several in a row.
        """
        self.refusals += 1
        if self.refusals == EARLY_DEATHS:
            msg = f"SLURM refuses {pool} allocations, {EARLY_DEATHS} times in a row: {error}{THEN}"
            raise AllocationsFailError(msg) from error
