"""A frame for the view in three dimensions: quantised, so that it is small in a page."""

import base64
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glasscreep.campaign.figures.labels import AREA, unit
from glasscreep.campaign.figures.style import SEQUENTIAL
from glasscreep.campaign.report_model import other_model_told
from glasscreep.campaign.report_particles import particle_values
from glasscreep.campaign.report_source import Source
from glasscreep.tasks.errors import AbsentError, DamagedError
from glasscreep.tasks.looseness_results import LOOSENESS

UNKNOWN, LEVELS = 255, 254
"""Level that stands for not defined, and the highest of the others."""
POSITION_STEPS = 65535
"""Of a box edge: 3e-4 of a length in a box of 20."""
RADII = 0.5, 0.44
"""Of spheres of A and B [length]; in metal units in mean distances of particles instead."""


@dataclass(frozen=True, slots=True)
class ShownFrame:
    """What the page needs to show a frame."""

    caption: str
    """Which frame of which run it is."""
    data: dict[str, Any]
    """For the script of the page."""

    @property
    def quantities(self) -> list[dict[str, Any]]:
        """What particles can be coloured by."""
        quantities: list[dict[str, Any]] = self.data["quantities"]
        return quantities


def shown_frame(source: Source, limit: int) -> ShownFrame:
    """Take the frame that a source is to show.

    Parameters
    ----------
    source : Source
        Of the campaign.
    limit : int
        Most particles that a page shows.

    Raises
    ------
    AbsentError
        If there is no frame with positions, or its particles are too many.
    """
    run, reader = source.run, source.reader
    count = len(reader.species)
    if run is None or source.frame < 0:
        msg = "no run has a frame with positions in the store yet"
        raise AbsentError(msg)
    if count > limit:
        msg = (
            f"frames have {count:,} particles, and the page shows {limit:,} at most: "
            f"`glasscreep report --particles {count}` shows them all the same"
        )
        raise AbsentError(msg)
    lattice = reader.lattice(run)[source.frame]
    fraction = reader.position(run, source.frame) @ np.linalg.inv(lattice)
    steps = np.rint((fraction - np.floor(fraction)) * POSITION_STEPS).astype("<u2")
    scale = 1.0 if source.system == "lj" else float((np.linalg.det(lattice) / count) ** (1 / 3))
    data = {
        "particles": count,
        "lattice": np.round(lattice, 5).tolist(),
        "position": _text(steps),
        "species": _text(reader.species),
        "radii": [scale * radius for radius in RADII],
        "palette": _text(_palette()),
        "quantities": _quantities(source, source.frame),
    }
    told = (f"{source.frame_name(source.frame)}: {count:,} particles", _by_other(source))
    return ShownFrame("".join(f"{part}. " for part in told if part).rstrip(), data)


def _by_other(source: Source) -> str:
    told = other_model_told(source, [LOOSENESS])
    return told[:1].upper() + told[1:]


def _quantities(source: Source, frame: int) -> list[dict[str, Any]]:
    apart = source.interval // source.campaign.creep.frame_interval
    name, area = f"d2min_{source.interval}", unit(AREA, source.system)
    found = []
    if (looseness := _particles(source, LOOSENESS, frame)) is not None:
        found.append(_scaled("looseness", "", looseness, 0.0, 1.0))
    if (after := _particles(source, name, frame)) is not None:
        found.append(_logarithmic(f"D²min over the next {source.interval:,} steps", area, after))
    if (before := _particles(source, name, frame - apart)) is not None:
        found.append(_logarithmic(f"D²min over the last {source.interval:,} steps", area, before))
    species = np.where(source.reader.species == 1, 0, LEVELS).astype(np.uint8)
    return [
        *found,
        {"name": "species (A dark, B light)", "values": _text(species), "scaled": False},
    ]


def _particles(source: Source, name: str, frame: int) -> NDArray[np.float64] | None:
    """Read a value for each particle; None if there is none, or it is damaged, which is noted."""
    try:
        return particle_values(source, name, frame)
    except AbsentError:
        return None
    except DamagedError as error:
        source.note_damage(name, error)
        return None


def _logarithmic(name: str, units: str, values: NDArray[np.float64]) -> dict[str, Any]:
    with np.errstate(divide="ignore"):
        power = np.log10(values)
    known = power[np.isfinite(power)]
    # Of a frame in which nothing moves otherwise than as a whole, all are 0.
    low, high = (
        (np.floor(np.quantile(known, 0.01)), np.ceil(known.max())) if len(known) else (0.0, 1.0)
    )
    high = max(high, low + 1)
    ends = {"from": f"1e{int(low)}", "to": f"1e{int(high)}"}
    return {**_scaled(name, units, power, low, high), **ends, "logarithmic": True}


def _scaled(
    name: str, units: str, values: NDArray[np.float64], low: float, high: float
) -> dict[str, Any]:
    known = np.isfinite(values)
    levels = np.full(len(values), UNKNOWN, np.uint8)
    part = np.clip((values[known] - low) / (high - low), 0.0, 1.0)
    levels[known] = np.rint(LEVELS * part).astype(np.uint8)
    return {
        "name": name,
        "unit": units,
        "values": _text(levels),
        "scaled": True,
        "logarithmic": False,
        "range": [low, high],
        "from": f"{low:g}",
        "to": f"{high:g}",
    }


def _palette() -> NDArray[np.uint8]:
    import matplotlib as mpl

    colours = mpl.colormaps[SEQUENTIAL](np.linspace(0, 1, LEVELS + 1))[:, :3]
    return np.asarray(np.rint(255 * colours), np.uint8)


def _text(values: NDArray[Any]) -> str:
    return base64.b64encode(values.tobytes()).decode("ascii")
