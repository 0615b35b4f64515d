"""Compiling the kernels of analyses before anyone waits for them."""

import time

from rich.console import Console

from glasscreep.analysis.kernel_files import cache_folder
from glasscreep.analysis.warm import cache_bytes, warm_kernels


def show_warming(console: Console) -> None:
    """Compile what is not yet compiled, and say how far that is and where it is kept."""
    start, compiled, loaded = time.perf_counter(), 0, 0
    with console.status("compiling kernels") as status:
        for function in warm_kernels():
            compiled, loaded = compiled + function.compiled, loaded + function.loaded
            status.update(f"compiling kernels: {function.name}, {function.seconds:.1f} s")
            if function.compiled and not console.is_terminal:
                console.print(f"compiled {function.name}, {function.seconds:.1f} s")
    console.print(
        f"kernels: {compiled} compiled, {loaded} there before, in "
        f"{time.perf_counter() - start:.1f} s; {cache_bytes() / 1e6:.1f} MB in {cache_folder()}",
        highlight=False,
        soft_wrap=True,
    )
