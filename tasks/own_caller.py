"""A process that calls functions of the user's for `own_apart`, and is ended when one does not end.

`python -m glasscreep.tasks.own_caller` reads questions from standard input, a line of JSON each. It
answers each by a line of JSON, which is empty if all went well; numbers in double precision follow.
"""

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from glasscreep.tasks.observable import decoded_result
from glasscreep.tasks.own_values import own_values
from glasscreep.tasks.parent import die_with_parent
from glasscreep.tasks.reader import reader_of
from glasscreep.tasks.run_frames import RunFrames


class Known:
    """The frames of the run that was asked for last, read and computed once for all its frames."""

    def __init__(self) -> None:
        self._serial = -1
        self._frames: RunFrames | None = None

    def frames(self, place: dict[str, Any], serial: int) -> RunFrames:
        """Take the frames of a run, by what `RunFrames.place` gave; for one number they are the same."""
        if self._frames is None or serial != self._serial:
            reader = reader_of(Path(place.pop("store")))
            self._frames, self._serial = RunFrames(reader, **place), serial
        return self._frames


def main() -> int:
    """Answer until there are no more questions."""
    die_with_parent()
    for ending in (signal.SIGTERM, signal.SIGINT):  # told to all of a job: no fault of a function
        signal.signal(ending, signal.SIG_IGN)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what the functions print is no answer
    known = Known()
    answers.write(b"{}\n")
    answers.flush()
    for line in sys.stdin.buffer:
        question = json.loads(line)
        try:
            frames = known.frames(question["place"], question["serial"])
            values = own_values(frames, decoded_result(question["result"]), question["frame"])
            answers.write(b"{}\n" + values.tobytes())
        except Exception as error:  # noqa: BLE001 - told to who asked
            answer = {"error": type(error).__name__, "message": str(error)}
            answers.write(json.dumps(answer).encode() + b"\n")
        answers.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
