"""Go on with a run of a small campaign, on all ranks; something may happen to one of them.

Takes one argument, JSON. Prints a line, JSON: what each rank ended with.
"""

import json
import resource
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import small_campaign as small
from processes import Steps

from glasscreep.tasks.ranks import Ranks


def main(request: dict[str, Any], ranks: Ranks) -> None:
    campaign, particles = Path(request["campaign"]), request["particles"]
    if ranks.number == request.get("rank"):
        befall(campaign, request)
    outcome = "done"
    try:
        small.write_run(campaign, 1, request["attempt"], request["frames"], particles)
    except Exception as error:  # noqa: BLE001 - the test looks at it
        outcome = f"{type(error).__name__}: {error}"
    outcomes = ranks.communicator.gather(outcome)
    if ranks.is_first:
        print(json.dumps(outcomes))


def befall(campaign: Path, request: dict[str, Any]) -> None:
    """Let happen to this rank what was asked for."""
    if limit := request.get("largest_file"):
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    for then in ("crash", "stop"):
        if at := request.get(f"{then}_at"):
            Steps(str(campaign), at, then)
    if request.get("diverges"):
        sound = small.record

        def record(row: int, frame: int, particles: int) -> small.FrameRecord:
            whole = sound(row, frame, particles)
            return replace(whole, position=whole.position / (frame != 1))

        small.record = record


if __name__ == "__main__":
    main(json.loads(sys.argv[1]), Ranks())
