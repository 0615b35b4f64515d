"""States that no glass can be in are refused, with what is wrong."""

import numpy as np
import pytest

from glasscreep.tasks.cell import Cell
from glasscreep.tasks.errors import DivergedError
from glasscreep.tasks.sanity import require_sane

VOLUME = 8.0


def cell(edge, tilt=0.0):
    return Cell(np.zeros(3), np.full(3, edge), np.array([0.0, tilt, 0.0]))


def test_a_glass_that_creeps_is_sane():
    require_sane(cell(1.7), VOLUME, -7.0)
    require_sane(cell(2.4, 2.3), VOLUME, 7.0)


@pytest.mark.parametrize(
    ("state", "energy", "said"),
    [
        (cell(2.6), -7.0, "2.2 times the volume of the glass; between 0.5 and 2 times"),
        (cell(1.5), -7.0, "0.422 times the volume"),
        (cell(np.nan), -7.0, "nan times the volume"),
        (cell(2.0, -2.2), -7.0, "sheared by 1.1; up to 1"),
        (cell(2.0), np.nan, "the potential energy is nan"),
        (cell(2.0), np.inf, "the potential energy is inf"),
    ],
)
def test_what_no_glass_can_be_is_refused(state, energy, said):
    with pytest.raises(DivergedError, match=said):
        require_sane(state, VOLUME, energy)
