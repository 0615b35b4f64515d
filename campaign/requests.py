"""What users ask of the driver at work on a campaign, wherever it is: files in a folder."""

from pathlib import Path

from glasscreep.tasks.files import storing

FOLDER = "requests"
CANCELLED = "cancelled"
HOW_TO_GO_ON = (
    "it was cancelled; what it had committed is kept, and `glasscreep run` or `glasscreep resume` "
    "goes on with it"
)
_CANCEL = "cancel-"


def ask_to_cancel(directory: Path, run_id: str) -> Path:
    """Ask that a run be given up; the file that is returned is gone when it was."""
    path = directory / FOLDER / f"{_CANCEL}{run_id}"
    with storing(path):
        path.parent.mkdir(exist_ok=True)
        path.touch()
    return path


def cancellations_asked(directory: Path) -> list[str]:
    """List the runs that are to be given up."""
    try:
        names = [path.name for path in (directory / FOLDER).iterdir()]
    except FileNotFoundError:
        return []
    return sorted(name.removeprefix(_CANCEL) for name in names if name.startswith(_CANCEL))


def forget_cancellation(directory: Path, run_id: str) -> None:
    """Note that a run was given up as asked."""
    with storing(directory):
        (directory / FOLDER / f"{_CANCEL}{run_id}").unlink(missing_ok=True)


def forget_cancellations(directory: Path) -> None:
    """Let runs be tried again whose cancellation no driver has seen to."""
    for run_id in cancellations_asked(directory):
        forget_cancellation(directory, run_id)
