"""The ranks of one MD process, in step with each other."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

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
        self.number: int = communicator.Get_rank()
        self.is_first: bool = self.number == 0

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

    def gathered(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give every rank the values of all, stacked in the order of the ranks."""
        if self.count == 1:
            return values[None]
        every = np.empty((self.count, *values.shape))
        self.communicator.Allgather(values, every)
        return every

    def total(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Add values up in the order of the ranks: the same bits on every rank, and every time."""
        total: NDArray[np.float64] = self.gathered(values).sum(axis=0)
        return total

    def dealt(
        self, values: NDArray[Any], sent: NDArray[np.int64], received: NDArray[np.int64]
    ) -> NDArray[Any]:
        """Send each rank its rows, and receive one's own.

        Parameters
        ----------
        values : (n, ...)
            Rows for the first rank, then those for the second, and so on.
        sent, received : (ranks,) int
            Number of rows for each rank, and of those from each.

        Returns
        -------
        (m, ...)
            What came, in the order of the ranks; on a single rank, the values themselves.
        """
        if self.count == 1:
            return values
        came = np.empty((int(received.sum()), *values.shape[1:]), values.dtype)
        width = int(np.prod(values.shape[1:]))
        self.communicator.Alltoallv([values, sent * width], [came, received * width])
        return came
