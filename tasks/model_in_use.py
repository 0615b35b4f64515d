"""The model that a campaign's looseness is computed with: the one that its directory holds."""

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from glasscreep.tasks.errors import DamagedError
from glasscreep.tasks.model_card import ModelCard
from glasscreep.tasks.model_file import LooseModelFile, card_in, model_in, read_bytes
from glasscreep.tasks.places import LOOSENESS, MODEL


def model_path(directory: Path) -> Path:
    """Say where a campaign directory holds its model."""
    return directory / LOOSENESS / MODEL


def model_hash(directory: Path) -> str | None:
    """Tell the model that a campaign directory holds from others; None if there is none."""
    data = _content(model_path(directory))
    return None if data is None else _hash(data)


def model_card(directory: Path) -> ModelCard | None:
    """Read the card of the model that a campaign directory holds.

    What is fitted is not looked at, which takes seconds.

    Parameters
    ----------
    directory : Path
        Campaign directory; need not exist.

    Returns
    -------
    ModelCard or None
        None as long as there is no model.

    Raises
    ------
    ModelFileError
        If the model is damaged.
    """
    path = model_path(directory)
    data = _content(path)
    return None if data is None else card_in(data, path)


def model_parameters(directory: Path) -> dict[str, Any] | None:
    """Tell what the looseness of a campaign depends on besides the frames.

    From the model's card alone: what is fitted is not looked at, which takes seconds.

    Parameters
    ----------
    directory : Path
        Campaign directory; need not exist.

    Returns
    -------
    dict or None
        The hash of the model's file, JSON, and what its features are; None as long as there is
        no model.

    Raises
    ------
    ModelFileError
        If the model is damaged.
    """
    path = model_path(directory)
    data = _content(path)
    if data is None:
        return None
    card = card_in(data, path)
    return {"model": _hash(data), "preset": dict(card.preset), "features": list(card.features)}


def model_in_use(directory: Path, parameters: Mapping[str, Any]) -> LooseModelFile:
    """Load the model of a campaign, once in a process.

    Parameters
    ----------
    directory : Path
        Campaign directory.
    parameters : mapping
        What `model_parameters` gave when it was decided what to compute.

    Returns
    -------
    LooseModelFile

    Raises
    ------
    DamagedError
        If the model is not there, or is another one by now.
    ModelFileError
        If it can't be used.
    """
    return _loaded(model_path(directory), parameters["model"])


@lru_cache(maxsize=2)
def _loaded(path: Path, sha256: str) -> LooseModelFile:
    data = _content(path)
    if data is None or _hash(data) != sha256:
        found = "it is not there" if data is None else f"its hash is {_hash(data)}"
        msg = (
            f"looseness is computed with the model {path} of the hash {sha256}, but {found}. "
            "Give `glasscreep run` again: it says what can be done."
        )
        raise DamagedError(msg)
    return model_in(data, path)


def _content(path: Path) -> bytes | None:
    return read_bytes(path) if path.exists() else None


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
