"""Where and how segments were computed: the one group of the store with clocks and hosts in it."""

import json
from pathlib import Path
from typing import Any

from glasscreep.tasks.opening import METADATA
from glasscreep.tasks.scratch import Scratch

PROVENANCE = "provenance"


def record_segment(store: Path, physics_id: str, segment: dict[str, Any], scratch: Scratch) -> None:
    """Record a segment in the provenance of its run or glass.

    Parameters
    ----------
    store : Path
        The frame store.
    physics_id : str
        Identity of the run or glass.
    segment : dict
        What is to be kept, JSON; its `attempt` tells segments apart, and a segment recorded
        again replaces what was there.
    scratch : Scratch
        Of the attempt, `Checkpoints.scratch`.
    """
    others = [
        known
        for known in read_segments(store, physics_id)
        if known["attempt"] != segment["attempt"]
    ]
    group = {
        "zarr_format": 3,
        "node_type": "group",
        "attributes": {"segments": [*others, segment]},
    }
    path = store / PROVENANCE / physics_id / METADATA
    with scratch.guarding(path):
        path.parent.mkdir(exist_ok=True)
    scratch.write(path, json.dumps(group, indent=1).encode())


def read_segments(store: Path, physics_id: str) -> list[dict[str, Any]]:
    """Read the segments of a run or glass, in the order they were recorded."""
    path = store / PROVENANCE / physics_id / METADATA
    if not path.is_file():
        return []
    segments: list[dict[str, Any]] = json.loads(path.read_bytes())["attributes"]["segments"]
    return segments
