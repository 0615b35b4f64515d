"""One way of compiling the kernels of this package."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

import numba

P = ParamSpec("P")
R = TypeVar("R")

# Lets sums be reordered into vector lanes. Not-a-number and infinity keep their meaning:
# kernels return not-a-number for what is undefined.
REORDERED = {"arcp", "contract", "nsz", "reassoc"}


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Compile on the first call, cached on disk, single-threaded, the GIL released.

    A kernel calls only kernels of its own module: the cache notices when the file that a
    kernel is in has changed, and not when another has.
    """
    kernel = numba.njit(cache=True, nogil=True, fastmath=REORDERED, error_model="numpy")(function)
    return cast("Callable[P, R]", kernel)
