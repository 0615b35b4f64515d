"""How long work takes."""

import time
from collections.abc import Callable


def seconds(work: Callable[[], object]) -> float:
    """CPU time of doing it once [s]."""
    begin = time.process_time()
    work()
    return time.process_time() - begin
