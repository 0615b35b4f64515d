"""Whether a frame is like those that a model was learnt from."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from glasscreep.tasks.model_card import NAMES, ModelCard
from glasscreep.tasks.trajectory_frame import Frame

TOLERANCE = 0.2
"""Largest part by which a density or distance may differ from the card's."""


def measure_lengths(
    positions: NDArray[np.float64], box: NDArray[np.float64], species: NDArray[np.int8]
) -> tuple[float, dict[str, float]]:
    """Measure what a card says of lengths.

    Parameters
    ----------
    positions : (n, 3) float64
        Any image of each particle [length].
    box : (3,) or (3, 3) float64
        Edge lengths of an orthogonal box, or one edge vector a row [length].
    species : (n,) int
        Of each particle, from 1.

    Returns
    -------
    number_density : float
        [1 / length**3].
    nearest_distances : dict
        Mean distance to the nearest Voronoi neighbour by species, such as AB: of B to A
        [length]. Without pairs that there are none of.
    """
    from glasscreep.analysis.box import as_lattice
    from glasscreep.analysis.nearest import nearest_distances

    volume = abs(float(np.linalg.det(as_lattice(box))))
    means = nearest_distances(positions, box, species, len(NAMES))
    named = {NAMES[a] + NAMES[b]: float(means[a, b]) for a, b in np.ndindex(means.shape)}
    return len(positions) / volume, {pair: d for pair, d in named.items() if np.isfinite(d)}


def misfits(frame: Frame, card: ModelCard, scale: float) -> list[str]:
    """Say what of a frame is unlike those that a model was learnt from.

    Parameters
    ----------
    frame : Frame
        As it was read.
    card : ModelCard
        Of the model.
    scale : float
        Lengths of the card in one of the frame.

    Returns
    -------
    list of str
        One sentence each; none if the frame fits.
    """
    found = []
    if card.species not in {NAMES[number - 1] for number in np.unique(frame.species)}:
        found.append(f"it has no {card.species} particles, of which alone the model speaks")
    density, distances = measure_lengths(frame.positions * scale, frame.box * scale, frame.species)
    found += _far_off({"number density": density}, {"number density": card.number_density})
    nearest = {f"mean nearest {pair} distance": value for pair, value in distances.items()}
    expected = {f"mean nearest {pair} distance": d for pair, d in card.nearest_distances.items()}
    return found + _far_off(nearest, expected)


def _far_off(got: Mapping[str, float], expected: Mapping[str, float]) -> list[str]:
    return [
        f"its {name} is {got[name]:.4g}, and that of the model {expected[name]:.4g}"
        for name in sorted(set(got) & set(expected))
        if abs(got[name] - expected[name]) > TOLERANCE * expected[name]
    ]
