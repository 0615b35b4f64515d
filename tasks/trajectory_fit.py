"""Whether a frame is like those that a model was learnt from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from glasscreep.tasks.model_card import NAMES, ModelCard
from glasscreep.tasks.trajectory_frame import Frame

TOLERANCE = 0.2
"""Largest part by which a density or distance may differ from the card's."""
SHARE_TOLERANCE = 0.1
"""Largest difference of the share of a species from the card's."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """What frames are compared by; fields of the same names are in a card."""

    number_density: float
    """Particles per volume [1 / length**3]."""
    composition: dict[str, float]
    """Share of the particles, by species."""
    nearest_distances: dict[str, float]
    """Mean distance to the nearest Voronoi neighbour, such as AB: from an A to its nearest B
    [length]. Without pairs that there are none of."""


def likeness_of(
    positions: NDArray[np.float64], box: NDArray[np.float64], species: NDArray[np.int8]
) -> Likeness:
    """Measure what frames are compared by.

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
    Likeness

    Raises
    ------
    ValueError
        As `delaunay`.
    """
    from glasscreep.analysis.box import as_lattice
    from glasscreep.analysis.nearest import nearest_distances

    volume = abs(float(np.linalg.det(as_lattice(box))))
    shares = {name: float((species == number).mean()) for number, name in enumerate(NAMES, 1)}
    means = nearest_distances(positions, box, species, len(NAMES))
    named = {NAMES[a] + NAMES[b]: float(means[a, b]) for a, b in np.ndindex(means.shape)}
    distances = {pair: distance for pair, distance in named.items() if np.isfinite(distance)}
    return Likeness(len(positions) / volume, shares, distances)


def mean_likeness(found: Sequence[Likeness]) -> Likeness:
    """Average over frames of the same particles; distances over the frames that have them."""
    pairs = sorted({pair for one in found for pair in one.nearest_distances})
    distances = {
        pair: fmean(one.nearest_distances[pair] for one in found if pair in one.nearest_distances)
        for pair in pairs
    }
    density = fmean(one.number_density for one in found)
    return Likeness(density, found[0].composition, distances)


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
    got = likeness_of(frame.positions * scale, frame.box * scale, frame.species)
    return unlike(got, card)


def unlike(got: Likeness, card: ModelCard) -> list[str]:
    """Say what of a glass is unlike that which a model was learnt from.

    Parameters
    ----------
    got : Likeness
        Of the glass, in the units of the card; distances that it does not have are not compared.
    card : ModelCard
        Of the model.

    Returns
    -------
    list of str
        One sentence each; none if it fits.
    """
    found = []
    if not got.composition.get(card.species):
        found.append(f"it has no {card.species} particles, of which alone the model speaks")
    shares = _pairs("share of {}", got.composition, card.composition)
    lengths = _pairs("mean nearest {} distance", got.nearest_distances, card.nearest_distances)
    lengths.append(("number density", got.number_density, card.number_density))
    far = [one for one in shares if abs(one[1] - one[2]) > SHARE_TOLERANCE]
    far += [one for one in lengths if abs(one[1] - one[2]) > TOLERANCE * one[2]]
    return found + [f"its {name} is {is_:.4g}, not {was:.4g}" for name, is_, was in far]


def _pairs(
    form: str, got: Mapping[str, float], expected: Mapping[str, float]
) -> list[tuple[str, float, float]]:
    common = sorted(set(got) & set(expected))
    return [(form.format(name), got[name], expected[name]) for name in common]
