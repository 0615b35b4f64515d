"""Examples of a table that are fitted to, or tested on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glasscreep.analysis.interstice_presets import FEATURES

MAIN = "main"
"""Name of the features that models are made of; others are variants of these."""
FEWEST = 20
"""Examples of a class to learn from: with fewer a fit would be one of noise."""


@dataclass(frozen=True, slots=True)
class Examples:
    """Rows of a table that are loose or tight."""

    features: NDArray[np.float64]
    """(n, 60)."""
    loose: NDArray[np.bool_]
    """(n,)."""
    glass: NDArray[np.int64]
    """(n,) the replica that each is of."""

    def varying(self, columns: Sequence[int]) -> list[int]:
        """Leave out features that are the same for all: where sizes are clipped, some are 0.

        Raises
        ------
        ValueError
            If none is left.
        """
        found = [column for column in columns if np.ptp(self.features[:, column]) > 0]
        if not found:
            msg = (
                f"all {len(columns)} features are the same for all {len(self.loose)} examples: "
                f"{named(columns)}. With other radii, or without clipping, they vary"
            )
            raise ValueError(msg)
        return found


def named(columns: Sequence[int]) -> str:
    """Name features."""
    return ", ".join(FEATURES[column] for column in columns)


def sample(table: Mapping[str, NDArray[Any]], told: Mapping[str, Any]) -> Examples:
    """Take a balanced sample, of two draws in the table: as many loose as tight.

    The loose are drawn again with replacement: where there are few, all samples would have
    the same ones, and what differs between samples would tell nothing of chance.

    Raises
    ------
    ValueError
        If a class has fewer than `FEWEST` examples; with the counts.
    """
    features = table[f"features {MAIN}"]
    loose, tight = (_known(features, table[told[name]]) for name in ("loose", "tight"))
    most = min(len(loose), len(tight))
    if most < FEWEST:
        msg = (
            f"a sample of {len(loose)} loose and {len(tight)} tight examples is too small: "
            f"{FEWEST} of each are the least. More frames or replicas bring more"
        )
        raise ValueError(msg)
    again = np.random.default_rng(told["seed"]).choice(loose[:most], most)
    rows = np.concatenate([np.sort(again), tight[:most]])
    is_loose = np.arange(2 * most) < most
    return Examples(features[rows], is_loose, table["glass"][rows])


def _known(features: NDArray[np.float64], rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Leave out examples with a feature that is not finite, as a fraction of nothing is."""
    known: NDArray[np.int64] = rows[are_finite(features[rows])]
    return known


def are_finite(features: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell which examples have no feature that is not finite: others are left out."""
    return np.asarray(np.isfinite(features).all(axis=1))


def of_glasses(
    table: Mapping[str, NDArray[Any]], glasses: list[int], variant: str = MAIN
) -> Examples:
    """Take the rows of some replicas."""
    features = table[f"features {variant}"]
    rows = np.isin(table["glass"], glasses) & are_finite(features)
    return Examples(features[rows], table["loose"][rows].astype(bool), table["glass"][rows])
