"""Which frames of a run: `last`, a number, or `START:STOP:STEP`."""

import re
from collections.abc import Sequence

from glasscreep.campaign.problems import RefusedError
from glasscreep.tasks.errors import AbsentError
from glasscreep.tasks.stored_frames import StoredFrames

Choice = int | slice
LAST = "last"
_SLICE = re.compile(r"(-?\d+)?:(-?\d+)?(?::(\d+)?)?")


def frame_choice(text: str | None) -> Choice:
    """Read a choice of frames.

    Parameters
    ----------
    text : str or None
        `last`, a number, counted from the end if below 0, or `START:STOP:STEP` as Python slices;
        None for all.

    Raises
    ------
    RefusedError
        If it is none of these.
    """
    if text is None:
        return slice(None)
    if text == LAST:
        return -1
    if re.fullmatch(r"-?\d+", text):
        return int(text)
    found = _SLICE.fullmatch(text)
    if found is None or found[3] == "0":
        msg = (
            f"--frames {text}: give `last`, a number, or START:STOP:STEP with a step of 1 or more, "
            "such as 0:100:10 or -10:."
        )
        raise RefusedError(msg)
    return slice(*(None if part is None else int(part) for part in found.groups()))


def chosen_frames(frames: StoredFrames, choice: Choice) -> Sequence[int]:
    """List the frames of a run that are chosen.

    Parameters
    ----------
    frames : StoredFrames
        Of the run.
    choice : int or slice
        A frame, from the end of those in the store if below 0; or a slice of those in the store.

    Raises
    ------
    AbsentError
        If there is none such in the store.
    """
    if isinstance(choice, int):
        return [frames.number(choice)]
    numbers = range(*choice.indices(frames.stored))
    if not numbers and not range(*choice.indices(frames.committed)) and frames.stored:
        ends = ("" if end is None else str(end) for end in (choice.start, choice.stop))
        msg = (
            f"{':'.join(ends)} chooses no frame of run {frames.run_id}: 0 to {frames.stored - 1} "
            "are in the store."
        )
        raise AbsentError(msg)
    if not numbers:
        msg = (
            f"run {frames.run_id} has none of these frames in the store, which has the positions "
            f"of {frames.stored} of the {frames.committed} that are committed: they come when a "
            "file of them is full, or the run ends."
        )
        raise AbsentError(msg)
    return numbers
