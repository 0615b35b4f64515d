"""What a model of looseness was learnt from, and what it may be asked about."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from glasscreep.analysis.interstice_presets import FEATURES, IntersticePreset
from glasscreep.tasks.units import IN_UNITS

NAMES = ("A", "B")
"""Of species 1 and 2."""


@dataclass(frozen=True, slots=True)
class ModelCard:
    """The origin and the terms of a model."""

    features: tuple[str, ...]
    """Names of the columns that the model takes, in their order."""
    preset: Mapping[str, Any]
    """Fields of the `IntersticePreset` that the features are computed with."""
    species: str
    """Name of the species whose particles the model speaks of."""
    threshold: float
    """Loose is whose D2min is above this [length**2]."""
    interval: int
    """Steps from a frame to the one that D2min is measured at."""
    timestep: float
    """[time]."""
    points: tuple[tuple[float, float], ...]
    """Temperature and stress of the runs learnt from [energy], [energy / length**3]."""
    campaign: str
    """Name of the campaign."""
    runs: tuple[str, ...]
    """Ids of the runs learnt from."""
    train_replicas: tuple[int, ...]
    """Replicas that the model was fitted to."""
    test_replicas: tuple[int, ...]
    """Replicas that it was scored on, none of which it had seen."""
    scores: Mapping[str, Any]
    """On the test replicas."""
    versions: Mapping[str, str]
    """Of the software that it was made with."""
    units: str
    """System of units, by LAMMPS's name."""
    number_density: float
    """Particles per volume of the frames learnt from [1 / length**3]."""
    nearest_distances: Mapping[str, float]
    """Mean distance to the nearest Voronoi neighbour, such as AB: from an A to its nearest B
    [length]."""
    composition: Mapping[str, float]
    """Share of the particles, by species."""
    seed: int
    """Of all that was drawn."""

    def __post_init__(self) -> None:
        """Refuse what no model can have."""
        preset = self.interstice_preset()
        plain = {**asdict(preset), "radii": list(preset.radii)}
        object.__setattr__(self, "preset", plain)
        if not self.features or len(set(self.features)) != len(self.features):
            _refuse("features", "at least one name, each once", list(self.features))
        if unknown := [name for name in self.features if name not in FEATURES]:
            _refuse("features", f"names of interstice features, such as {FEATURES[3]}", unknown)
        known = NAMES[: len(preset.radii)]
        if self.species not in known:
            _refuse("species", f"one of {list(known)}", self.species)
        if self.units not in IN_UNITS:
            _refuse("units", f"one of {list(IN_UNITS)}", self.units)
        positive = {
            name: getattr(self, name)
            for name in ("threshold", "interval", "timestep", "number_density")
        }
        pairs = {
            f"nearest_distances[{pair}]": value for pair, value in self.nearest_distances.items()
        }
        for name, value in (positive | pairs).items():
            if not 0 < value < float("inf"):
                _refuse(name, "finite and above 0", value)
        for name, share in self.composition.items():
            if not 0 <= share <= 1:
                _refuse(f"composition[{name}]", "from 0 to 1", share)

    def interstice_preset(self) -> IntersticePreset:
        """Choices that the features are computed with; a ValueError if there are no such."""
        known = {field.name for field in fields(IntersticePreset)}
        if set(self.preset) != known:
            _refuse("preset", f"the switches {sorted(known)}", sorted(self.preset))
        try:
            return IntersticePreset(**{**self.preset, "radii": tuple(self.preset["radii"])})
        except (TypeError, OverflowError) as error:  # a value of a type that the switch never has
            msg = f"preset of a model's card: {error}"
            raise ValueError(msg) from error

    @property
    def columns(self) -> list[int]:
        """Where the features are among all interstice features."""
        return [FEATURES.index(name) for name in self.features]

    def as_json(self) -> dict[str, Any]:
        """Give the card as what JSON can hold."""
        return asdict(self)


def card_from_json(content: object) -> ModelCard:
    """Take a card from what JSON holds.

    Parameters
    ----------
    content : object
        As `ModelCard.as_json` gives it, from a file that anyone may have written.

    Returns
    -------
    ModelCard

    Raises
    ------
    ValueError
        If a field is missing, unknown, of another type, or not allowed; it names all of them.
    """
    from pydantic import TypeAdapter, ValidationError

    known = {field.name for field in fields(ModelCard)}
    if isinstance(content, dict) and (unknown := sorted(set(content) - known)):
        msg = f"unknown fields {unknown}"
        raise ValueError(msg)
    try:
        return TypeAdapter(ModelCard).validate_python(content)
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()]
        raise ValueError("; ".join(problems)) from None


def _refuse(name: str, allowed: str, got: object) -> None:
    msg = f"{name} of a model's card must be {allowed}, got {got!r}"
    raise ValueError(msg)
