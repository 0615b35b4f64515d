"""A process that calls functions of the user's for `own_apart`, and is ended when one does not end.

`python -m glasscreep.tasks.own_caller` reads questions from standard input, a line of JSON each. It
answers each by a line of JSON with the question's number, and what went wrong; if nothing did, numbers
in double precision follow.
"""

import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import IO, Any

from glasscreep.tasks.observable import decoded_result
from glasscreep.tasks.own_values import own_values
from glasscreep.tasks.parent import die_with_parent, end_group_with_this
from glasscreep.tasks.reader import reader_of
from glasscreep.tasks.run_frames import RunFrames

ENDINGS = (signal.SIGTERM, signal.SIGINT)


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
    end_group_with_this()
    _disregard_what_is_told_to_all()
    questions, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1):  # what the functions read is no question, what they print no answer
        os.dup2(nowhere, standard)
    try:
        _answer(questions, answers)
    except BrokenPipeError:  # who asked is gone
        os.dup2(nowhere, answers.fileno())
    return 0


def _disregard_what_is_told_to_all() -> None:
    """Do nothing at signals that all of a job get, which are no fault of a function.

    What the functions start heeds them: `exec` brings back what is usual, as ignoring would not. A
    copy of this process is told nothing until it does, or what came in between would be lost.
    """
    masks = threading.local()

    def hold() -> None:
        masks.before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDINGS)

    def let() -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, masks.before)

    def heed() -> None:
        for ending in ENDINGS:
            signal.signal(ending, signal.SIG_DFL)
        let()

    for ending in ENDINGS:
        signal.signal(ending, lambda *_: None)
    os.register_at_fork(before=hold, after_in_parent=let, after_in_child=heed)


def _answer(questions: IO[bytes], answers: IO[bytes]) -> None:
    known = Known()
    answers.write(json.dumps({"number": 0}).encode() + b"\n")
    answers.flush()
    for line in questions:
        question = json.loads(line)
        answer, values = {"number": question["number"]}, b""
        try:
            frames = known.frames(question["place"], question["serial"])
            result = decoded_result(question["result"])
            values = own_values(frames, result, question["frame"]).tobytes()
        except Exception as error:  # noqa: BLE001 - told to who asked
            answer |= {"error": type(error).__name__, "message": str(error)}
        answers.write(json.dumps(answer).encode() + b"\n" + values)
        answers.flush()


if __name__ == "__main__":
    sys.exit(main())
