"""Naming what is damaged, when Zarr finds that stored bytes don't match their checksum."""

from collections.abc import Iterator
from contextlib import contextmanager

from glasscreep.tasks.analysed import ANALYSED
from glasscreep.tasks.errors import DamagedError
from glasscreep.tasks.places import RUNS


@contextmanager
def naming_damage(where: str) -> Iterator[None]:
    """Turn what Zarr and its codecs raise on wrong bytes into an error that says where."""
    try:
        yield
    except (ValueError, RuntimeError) as error:
        msg = f"{where} is damaged: {error}"
        raise DamagedError(msg) from error


def how_to_compute_anew(run_id: str) -> str:
    """Say how results of a run that are damaged or lost come back."""
    return f"Remove {RUNS}/{run_id}/{ANALYSED}, and `glasscreep run` computes it anew"
