"""Names of the features, and one choice for each open question of what is free."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

STATISTICS = ("mean", "max", "min", "std")
SHORT_RANGE = tuple(f"{name}({size})" for size in "DAV" for name in STATISTICS)
"""Of the free distances, areas and volumes around a particle."""
MEDIUM_RANGE = tuple(f"{name}[{of}]" for of in SHORT_RANGE for name in STATISTICS)
"""Of the short-range features of its neighbours."""
FEATURES = SHORT_RANGE + MEDIUM_RANGE
"""Names of the columns of `interstice_features`."""


@dataclass(frozen=True, slots=True)
class IntersticePreset:
    """Answers to what the papers leave open; the defaults are those of ``wu2023``."""

    cells: str = "delaunay"
    """Which tetrahedra surround a particle: ``"delaunay"``, those of the Delaunay triangulation
    that it is a corner of; ``"hull"``, those from it to each facet of the convex hull of its
    neighbours. Neighbours that are not corners of the hull have no part in areas and volumes."""
    triangles: str = "central"
    """Which of their triangles count: ``"central"``, the particle and two neighbours;
    ``"facet"``, the three neighbours opposite the particle."""
    measure: str = "absolute"
    """``"absolute"``: the size less what is inside the particles' spheres [length],
    [length**2], [length**3]; ``"fraction"``: that part of the size, and of distances
    d / (r_i + r_j) - 1."""
    clip: bool = False
    """Whether areas and volumes below 0, where spheres overlap, count as 0."""
    radii: tuple[float, ...] = (0.5, 0.3)
    """Radius of species 1, 2, ... [length]. By default those at which Kob-Andersen particles
    touch at sigma_AA and sigma_AB."""
    face_cut: float = 0.0
    """Neighbours whose Voronoi face is below this part of the particle's mean face are none;
    in [0, 1), with 0 for all neighbours."""
    ddof: int = 0
    """0 for the standard deviation of a population, 1 for that of a sample."""

    def __post_init__(self) -> None:
        """Refuse values that are not allowed."""
        for name, allowed in _ALLOWED.items():
            if getattr(self, name) not in allowed:
                msg = f"{name} must be one of {list(allowed)}, got {getattr(self, name)!r}"
                raise ValueError(msg)
        radii = np.asarray(self.radii, np.float64)
        if radii.ndim != 1 or not len(radii) or not (np.isfinite(radii) & (radii > 0)).all():
            msg = (
                "radii must be one finite number above 0 for each species, starting with "
                f"species 1, got {self.radii!r}"
            )
            raise ValueError(msg)
        object.__setattr__(self, "radii", tuple(radii.tolist()))
        if not 0 <= self.face_cut < 1:
            msg = f"face_cut must be at least 0 and below 1, got {self.face_cut!r}"
            raise ValueError(msg)


_ALLOWED: dict[str, tuple[object, ...]] = {
    "cells": ("delaunay", "hull"),
    "triangles": ("central", "facet"),
    "measure": ("absolute", "fraction"),
    "clip": (False, True),
    "ddof": (0, 1),
}

PRESETS = {
    "wu2023": IntersticePreset(),
    "amlearn": IntersticePreset(
        cells="hull", triangles="facet", measure="fraction", clip=True, face_cut=0.05
    ),
}
"""``wu2023``: as we read Wu and Ruiz Pestana (2023); ``amlearn``: the formulas of the code that
Wang and Jain (2019) published."""


def choose(preset: str | IntersticePreset, switches: Mapping[str, Any]) -> IntersticePreset:
    """Take a preset with some of its switches set otherwise.

    Parameters
    ----------
    preset : str or IntersticePreset
        One of `PRESETS`, or its name.
    switches : mapping
        Values of fields of `IntersticePreset`, by name; ``None`` leaves the preset's.

    Returns
    -------
    IntersticePreset
        With all values checked.

    Raises
    ------
    ValueError
        If there is no such preset or switch, or a value is not allowed.
    """
    if isinstance(preset, str):
        if preset not in PRESETS:
            msg = f"preset must be one of {list(PRESETS)}, got {preset!r}"
            raise ValueError(msg)
        preset = PRESETS[preset]
    known = [field.name for field in fields(IntersticePreset)]
    for name in switches:
        if name not in known:
            msg = f"there is no switch {name!r}; the switches are {known}"
            raise ValueError(msg)
    changed = {name: value for name, value in switches.items() if value is not None}
    return replace(preset, **changed) if changed else preset
