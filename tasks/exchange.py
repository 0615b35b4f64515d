"""Which rank holds which particles of a frame."""

import numpy as np
from numpy.typing import NDArray


def shares_of_whole(particles: int, block: int, ranks: int) -> NDArray[np.int64]:
    """Deal blocks of particles out to ranks, in contiguous runs as even as they can be.

    Parameters
    ----------
    particles : int
        Number of particles.
    block : int
        Particles of a block, which no two ranks share; the last may have fewer.
    ranks : int
        Number of ranks. The first ones get one block more than the others, if any do.

    Returns
    -------
    (ranks + 1,) int64
        Rank r has the rows from the r-th number to before the next: none, if there are more
        ranks than blocks.
    """
    blocks = -(-particles // block)
    dealt = np.arange(ranks + 1, dtype=np.int64)
    firsts = dealt * (blocks // ranks) + np.minimum(dealt, blocks % ranks)
    return np.minimum(firsts * block, particles)
