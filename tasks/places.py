"""Where things are in a campaign directory."""

from pathlib import Path

STORE = "store.zarr"
RUNS = "runs"
GLASSES = "glasses"
ATTACHED = "attached"
"""Files that the campaign file names, such as potentials, as they were when it began."""
LOOSENESS = "looseness"
"""What was learnt from the campaign: its model, the examples, the scores."""
MODEL = "model.skops"
"""In there, the model that looseness is computed with."""
LESSON = "report.json"
"""Beside it, what `glasscreep learn` found."""


def run_directory(directory: Path, run_id: str) -> Path:
    """Directory of a run in a campaign directory."""
    return directory / RUNS / run_id


def glass_directory(directory: Path, glass_id: str) -> Path:
    """Directory of a glass in a campaign directory."""
    return directory / GLASSES / glass_id
