"""The ranks of one MD process, in step with each other."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from mpi4py import MPI

T = TypeVar("T")


class Ranks:
    """All ranks that share one simulation. Every method is collective.

    Parameters
    ----------
    communicator : mpi4py.MPI.Comm, optional
        Of all ranks by default.
    """

    def __init__(self, communicator: MPI.Comm = MPI.COMM_WORLD) -> None:
        self.communicator = communicator
        self.count: int = communicator.Get_size()
        self.rank: int = communicator.Get_rank()
        self.is_first = self.rank == 0

    def first(self, action: Callable[[], T]) -> T:
        """Do something on the first rank alone, and give its result to all.

        What it raises there is raised on every rank, so that none is left waiting.
        """
        result: Any = None
        error: Exception | None = None
        if self.is_first:
            try:
                result = action()
            except Exception as caught:  # noqa: BLE001 - raised below, on every rank
                error = caught
        if self.count > 1:
            carried = error and error.with_traceback(None)
            result, error = self.communicator.bcast((result, carried), root=0)
        if error is not None:
            raise error
        return cast("T", result)

    def every(self, action: Callable[[], T]) -> list[T]:
        """Do something on each rank, and give all ranks the results, in the order of the ranks.

        What it raises on any of them is raised on every rank: the error of the lowest of those.
        """
        result: Any = None
        error: Exception | None = None
        try:
            result = action()
        except Exception as caught:  # noqa: BLE001 - raised below, on every rank
            error = caught
        outcomes = [(result, error)]
        if self.count > 1:
            carried = error and error.with_traceback(None)
            outcomes = self.communicator.allgather((result, carried))
        for _, raised in outcomes:
            if raised is not None:
                raise raised
        return [cast("T", given) for given, _ in outcomes]

    def any(self, flag: bool) -> bool:
        """Tell all ranks whether the flag is up on any of them."""
        return bool(self.communicator.allreduce(flag, op=MPI.LOR))

    def sum(self, values: Any) -> None:
        """Add an array up over the ranks, in place."""
        if self.count > 1:
            self.communicator.Allreduce(MPI.IN_PLACE, values, op=MPI.SUM)
