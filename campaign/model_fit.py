"""Whether the model in a campaign directory is for such a glass, before looseness is computed."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from glasscreep.campaign.problems import RefusedError
from glasscreep.campaign.sections import Campaign
from glasscreep.tasks.analysed import read_analysed
from glasscreep.tasks.looseness_results import LOOSENESS
from glasscreep.tasks.model_card import NAMES, ModelCard
from glasscreep.tasks.model_in_use import model_card, model_path
from glasscreep.tasks.places import STORE, run_directory
from glasscreep.tasks.reader import reader_of
from glasscreep.tasks.trajectory_fit import Likeness, likeness_of, unlike

LOOKED_AT = 100
"""Runs that are asked for a first frame; they begin in about this order."""


def demand_model(campaign: Campaign, directory: Path) -> None:
    """Refuse a model that is for another glass than the campaign's.

    The first frame is looked at, and while there is none, what the campaign file says. Once there
    is looseness of it, it was accepted before.

    Parameters
    ----------
    campaign : Campaign
        What is asked for.
    directory : Path
        Campaign directory; need not exist, nor hold a model.

    Raises
    ------
    RefusedError
        If the model is in other units; or if the glass is unlike what it was learnt from, unless
        the campaign file says that this is meant.
    ModelFileError
        If the model is damaged.
    DamagedError
        If the frame is.
    """
    card = model_card(directory) if LOOSENESS in campaign.analysis.results else None
    if card is None:
        return
    path, units = model_path(directory), campaign.model.units
    if card.units != units:
        msg = (
            f"{path} is in units {card.units}, and the campaign {campaign.name} in {units}: its "
            f"features are lengths, which mean nothing here. Put a model in units {units} in its "
            "place, or take it away: then all but looseness is computed. Nothing was changed."
        )
        raise RefusedError(msg)
    if campaign.analysis.looseness.force:
        return
    if found := list(_misfits(campaign, directory, card)):
        msg = (
            f"{path} was learnt from another glass: {'; '.join(found)}. Put a model of such a "
            "glass in its place; or let [analysis.looseness] of the campaign file say force = "
            "true: then looseness is computed all the same, whatever it means. Nothing was changed."
        )
        raise RefusedError(msg)


def _misfits(campaign: Campaign, directory: Path, card: ModelCard) -> Iterator[str]:
    if (row := _begun(directory)) is None:
        yield from (
            f"of what the campaign file asks for, {one}" for one in unlike(_asked(campaign), card)
        )
        return
    reader = reader_of(directory / STORE)
    run_id = reader.run_ids[row]
    if LOOSENESS not in read_analysed(run_directory(directory, run_id)).results:
        species = reader.species.astype(np.int8)
        frame = likeness_of(reader.position(row, 0), reader.lattice(row)[0], species)
        yield from (f"of run {run_id}, frame 0, {one}" for one in unlike(frame, card))


def _begun(directory: Path) -> int | None:
    """Find a run whose first frame is in the store; None if there is none."""
    if not (directory / STORE).exists():
        return None
    reader = reader_of(directory / STORE)
    rows = range(min(len(reader.run_ids), LOOKED_AT))
    return next((row for row in rows if reader.run_ids[row] and reader.manifest(row).flushed), None)


def _asked(campaign: Campaign) -> Likeness:
    """Take what is known of a glass before it is made: nothing of its distances."""
    model = campaign.mixture()
    share = model.particles_a / model.particles
    return Likeness(model.density, dict(zip(NAMES, (share, 1 - share), strict=True)), {})
