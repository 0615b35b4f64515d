"""One way of compiling the kernels of this package."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any, ParamSpec, TypeVar, cast

import numba

from glasscreep.analysis.kernel_cache import KernelCache

P = ParamSpec("P")
R = TypeVar("R")


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Compile on the first call, cached on disk, single-threaded, the GIL released.

    Without `fastmath`: it lets the bits of a result depend on what was compiled when, for
    kernels from the cache are inlined elsewhere than those just compiled.
    """
    return _compiled(function, counts_references=True)


def compiled_without_memory(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a kernel that makes no arrays, and counts no references to those it is given.

    Counting takes atomic instructions at every array that is taken out of a tuple: half the
    time of kernels that do little with each.
    """
    return _compiled(function, counts_references=False)


def compiled_into_callers(function: Callable[P, R]) -> Callable[P, R]:
    """Compile like `compiled_without_memory`, as a part of whatever calls it.

    For small kernels that are called often: a tuple of arrays is passed word by word, which
    takes longer than what they do.
    """
    return _compiled(function, counts_references=False, forceinline=True)


def _compiled(
    function: Callable[P, R], counts_references: bool, forceinline: bool = False
) -> Callable[P, R]:
    # An option that numba has not documented: without it, a kernel that makes no arrays and is
    # first called by one that does would be compiled with counting, and the other way round.
    options: dict[str, Any] = {"_nrt": counts_references, "forceinline": forceinline}
    kernel = numba.njit(nogil=True, error_model="numpy", **options)(function)
    with suppress(OSError):  # typed at a prompt, it has no file, and is not kept
        kernel._cache = KernelCache(function)
    return cast("Callable[P, R]", kernel)
