"""The model that a campaign's looseness is computed with: the one that its directory holds."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from glasscreep.analysis.interstice_presets import FEATURES, IntersticePreset, preset_of
from glasscreep.tasks.errors import DamagedError
from glasscreep.tasks.places import LOOSENESS, MODEL

if TYPE_CHECKING:
    from glasscreep.analysis.loose_model import LinearEnsemble

# What reads a model is imported where it is used: `plan` and `status` must not wait for it.

SPECIES = {"A": 1, "B": 2}


@dataclass(frozen=True, slots=True)
class ModelInUse:
    """A model, ready to be asked."""

    ensemble: "LinearEnsemble"
    """Gives the looseness of rows of features."""
    preset: IntersticePreset
    """What its features are."""
    columns: tuple[int, ...]
    """Which of them it goes by, in its order."""
    species: int
    """Of the particles that it speaks of: 1 = A, 2 = B."""

    def looseness(
        self, features: NDArray[np.float64], species: NDArray[np.uint8]
    ) -> NDArray[np.float64]:
        """Give the looseness of the particles of a frame.

        Parameters
        ----------
        features : (N, 60) float
            Of all particles, as `interstice_features` gives them with `preset`.
        species : (N,) int
            Of all particles.

        Returns
        -------
        (N,) float64
            In [0, 1]; `nan` for other species than the model's, and where a feature is not
            finite [1].
        """
        spoken_of = np.flatnonzero(species == self.species)
        own = features[np.ix_(spoken_of, np.array(self.columns))]
        known = np.isfinite(own).all(axis=1)
        values = np.full(len(species), np.nan)
        values[spoken_of[known]] = self.ensemble.looseness(own[known])
        return values


def model_path(directory: Path) -> Path:
    """Say where a campaign directory holds its model."""
    return directory / LOOSENESS / MODEL


def model_parameters(directory: Path) -> dict[str, Any] | None:
    """Tell what the looseness of a campaign depends on besides the frames.

    Parameters
    ----------
    directory : Path
        Campaign directory; need not exist.

    Returns
    -------
    dict or None
        The hash of the model's file; None as long as there is none.
    """
    sha256 = _hash_of(model_path(directory))
    return None if sha256 is None else {"model": sha256}


def model_in_use(directory: Path, parameters: Mapping[str, Any]) -> ModelInUse:
    """Load the model of a campaign, once in a process.

    Parameters
    ----------
    directory : Path
        Campaign directory.
    parameters : mapping
        As of `model_parameters`, when what is to be computed was decided.

    Raises
    ------
    DamagedError
        If the model is not there, is another one by now, can't be read, or goes by features
        that are not those of interstices.
    """
    return _loaded(model_path(directory), parameters["model"])


@lru_cache(maxsize=2)
def _loaded(path: Path, sha256: str) -> ModelInUse:
    from glasscreep.analysis.loose_model import LinearEnsemble
    from glasscreep.tasks.model_file import load_model

    if (found := _hash_of(path)) != sha256:
        is_there = "is not there" if found is None else f"has the hash {found}"
        msg = (
            f"looseness is computed with the model {path} of the hash {sha256}, but it {is_there}. "
            "Give `glasscreep run` again, which says what can be done."
        )
        raise DamagedError(msg)
    loaded = load_model(path)
    card = loaded.card
    if strange := [name for name in card.features if name not in FEATURES]:
        msg = (
            f"the model {path} goes by features that are not those of interstices: "
            f"{', '.join(strange)}. Learn one that does, with `glasscreep learn`."
        )
        raise DamagedError(msg)
    columns = tuple(map(FEATURES.index, card.features))
    ensemble = LinearEnsemble.of(loaded.pipeline)
    return ModelInUse(ensemble, preset_of(card.preset), columns, SPECIES[card.species])


def _hash_of(path: Path) -> str | None:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        msg = f"could not read the model {path}: {error.strerror or error}"
        raise DamagedError(msg) from error
