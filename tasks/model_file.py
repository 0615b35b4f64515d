"""Models of looseness on disk: a fitted pipeline with its card, and nothing that runs."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glasscreep.tasks.errors import (
    AbsentModelError,
    ModelFileError,
    NewerModelError,
    UntrustedModelError,
)
from glasscreep.tasks.files import write_durably
from glasscreep.tasks.model_archive import (
    MOST_BYTES,
    UntrustedNodesError,
    pack,
    read_head,
    unpack,
)
from glasscreep.tasks.model_card import NAMES, ModelCard, card_from_json
from glasscreep.tasks.model_markdown import markdown

if TYPE_CHECKING:
    from glasscreep.analysis.loose_model import LinearEnsemble
    from glasscreep.analysis.tetrahedra import Tetrahedra

FORMAT = "glasscreep model of looseness"
VERSION = 1
"""Of the format; a reader takes this one and those before."""
_ANEW = "Get the file again from where it was made, or make it anew with `glasscreep learn`."


@dataclass(frozen=True, slots=True)
class LooseModelFile:
    """A model as it is in its file."""

    pipeline: Any
    """The fitted scikit-learn `Pipeline`."""
    card: ModelCard
    """What it was learnt from."""
    linear: "LinearEnsemble"
    """The pipeline as matrix products."""

    def looseness(self, features: ArrayLike, species: ArrayLike) -> NDArray[np.float64]:
        """Compute looseness where the features of the particles are known already.

        Parameters
        ----------
        features : (n, 60) float
            What `interstice_features` gives with the preset of the card.
        species : (n,) int
            Of each particle, from 1.

        Returns
        -------
        (n,) float64
            In [0, 1]; nan for species that the model does not speak of.
        """
        spoken_of = np.asarray(species) == NAMES.index(self.card.species) + 1
        rows = np.asarray(features, np.float64)[spoken_of][:, self.card.columns]
        looseness = np.full(len(spoken_of), np.nan)
        looseness[spoken_of] = self.linear.looseness(rows)
        return looseness


def looseness_of(
    positions: ArrayLike,
    box: ArrayLike,
    species: ArrayLike,
    model: LooseModelFile,
    tetrahedra: "Tetrahedra | None" = None,
) -> NDArray[np.float64]:
    """Compute the looseness of each particle of a frame.

    Parameters
    ----------
    positions : (n, 3) float
        Any image of each particle [length].
    box : (3,) or (3, 3) float
        Edge lengths of an orthogonal box, or one edge vector a row [length].
    species : (n,) int
        Of each particle, from 1.
    model : LooseModelFile
        As `load_model` returns it.
    tetrahedra : Tetrahedra, optional
        What `delaunay` returns for these positions and this box, if it is known.

    Returns
    -------
    (n,) float64
        In [0, 1]; nan for species that the model does not speak of.

    Raises
    ------
    ValueError
        As `interstice_features`.
    """
    from glasscreep.analysis.interstices import interstice_features

    preset = model.card.interstice_preset()
    features = interstice_features(positions, box, species, preset, tetrahedra=tetrahedra)
    return model.looseness(features, species)


def save_model(path: Path, pipeline: Any, card: ModelCard) -> None:
    """Write a model, and its card beside it as Markdown, for people.

    Both are replaced as a whole: a reader finds the old file or the new one.

    Parameters
    ----------
    path : Path
        Ends in `.skops`; the Markdown has the same name with `.md`.
    pipeline : sklearn.pipeline.Pipeline
        Fitted: a `StandardScaler`, then an `EasyEnsembleClassifier` of `LogisticRegression`.
    card : ModelCard
        Names as many features as the pipeline takes.

    Raises
    ------
    ModelFileError
        If this would not be read back.
    StorageError
        If it can't be written.
    """
    data = pack(pipeline, {"format": FORMAT, "version": VERSION, "card": card.as_json()})
    model_in(data, path)
    write_durably(path, data)
    write_durably(path.with_suffix(".md"), markdown(card, path.name).encode())


def load_model(path: Path) -> LooseModelFile:
    """Read a model, whoever wrote it: nothing in the file is run.

    Parameters
    ----------
    path : Path
        As `save_model` wrote it.

    Returns
    -------
    LooseModelFile

    Raises
    ------
    ModelFileError
        If the file is not there, too large, damaged, something else, of a newer version, or its
        card and its pipeline disagree.
    UntrustedModelError
        If it holds types that a model does not need; it names them.
    """
    return model_in(read_bytes(path), path)


def read_bytes(path: Path) -> bytes:
    """Read a file, unless it is larger than any model; ModelFileError if it can't be read."""
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        msg = f"{path} can't be read: {error.strerror or error}. Give the path of a model file."
        is_absent = isinstance(error, FileNotFoundError | NotADirectoryError | IsADirectoryError)
        raise (AbsentModelError if is_absent else ModelFileError)(msg) from error
    if len(data) > MOST_BYTES:
        msg = f"{path} is larger than {MOST_BYTES >> 20} MiB, which no model is. {_ANEW}"
        raise ModelFileError(msg)
    return data


def model_in(data: bytes, path: Path) -> LooseModelFile:
    """Make a model of what was read from `path`, as `load_model` does."""
    card = card_in(data, path)
    try:
        pipeline = unpack(data)
        linear = _linear(pipeline, len(card.features))
    except UntrustedNodesError as error:
        msg = (
            f"{path} holds what a model has no need of: {error}. Nothing of it was run. "
            "Do not use the file, and ask who gave it to you."
        )
        raise UntrustedModelError(msg) from None
    except ImportError:  # of this installation, and no fault of the file
        raise
    except Exception as error:  # what damage makes skops and scikit-learn raise has no end
        msg = f"{path} is damaged: {type(error).__name__}: {error}. {_ANEW}"
        raise ModelFileError(msg) from error
    return LooseModelFile(pipeline, card, linear)


def card_in(data: bytes, path: Path) -> ModelCard:
    """Take the card alone of what was read from `path`; ModelFileError as of `load_model`."""
    try:
        head = read_head(data)
    except Exception as error:  # of damage, again
        msg = f"{path} is no model file: {error}. {_ANEW}"
        raise ModelFileError(msg) from error
    if not isinstance(head, dict) or head.get("format") != FORMAT:
        msg = f"{path} does not say that it is a {FORMAT}. {_ANEW}"
        raise ModelFileError(msg)
    version = head.get("version")
    if isinstance(version, int) and version > VERSION:
        msg = (
            f"{path} is of version {version} of the format, and this glasscreep knows those to "
            f"{VERSION}: install a newer one, `pip install --upgrade glasscreep`."
        )
        raise NewerModelError(msg)
    if version != VERSION or isinstance(version, bool):
        msg = f"{path} is of version {version!r} of the format, which there is not. {_ANEW}"
        raise ModelFileError(msg)
    try:
        return card_from_json(head.get("card"))
    except (ValueError, RecursionError) as error:
        msg = f"the card in {path} is damaged: {error}. {_ANEW}"
        raise ModelFileError(msg) from error


def _linear(pipeline: Any, features: int) -> "LinearEnsemble":
    from glasscreep.analysis.loose_model import LinearEnsemble

    taken = int(pipeline.n_features_in_)
    if taken != features:
        msg = f"its card names {features} features and its pipeline takes {taken}"
        raise ValueError(msg)
    linear = LinearEnsemble.of(pipeline)
    of_features = len(linear.coefficients) == features
    if not of_features or not (
        np.isfinite(linear.coefficients).all() and np.isfinite(linear.intercepts).all()
    ):
        msg = f"its coefficients are not finite numbers for {features} features"
        raise ValueError(msg)
    return linear
