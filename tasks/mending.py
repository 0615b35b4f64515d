"""What to do about what is damaged, in words that messages end with."""

from glasscreep.tasks.analysed import ANALYSED
from glasscreep.tasks.places import RUNS

BRING_BACK = "Bring that file back from a copy of the directory"
INDEXED_ANEW = "The same `glasscreep run` again writes it anew"


def computed_anew(run_id: str) -> str:
    """Say how to have damaged results of a run computed anew."""
    return f"Remove {RUNS}/{run_id}/{ANALYSED}, and `glasscreep run` computes it anew"


def simulated_anew(run_id: str) -> str:
    """Say how to get damaged frames of a run back."""
    return f"{BRING_BACK}; or remove {RUNS}/{run_id}, and `glasscreep run` simulates the run anew"


def made_anew(place: str) -> str:
    """Say how to get the damaged manifest of a run or glass back, by its folder."""
    return f"{BRING_BACK}; or remove {place}, and `glasscreep run` makes it anew"
