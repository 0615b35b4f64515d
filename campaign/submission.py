"""What was last submitted of a campaign: a small file for those who come later."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from glasscreep.slurm.contact import FOLDER
from glasscreep.slurm.private import replace_private

FILE_NAME = "submission.json"


@dataclass(frozen=True, slots=True)
class Submission:
    """Jobs that a user has handed to SLURM."""

    controller: str
    """Id of the controller's job."""
    presubmitted: tuple[str, ...]
    """Ids of allocations that were submitted along with it."""
    presubmit: bool
    """Whether the controller is to ask SLURM for nothing."""
    host: str
    """Machine where they were submitted."""
    user: str
    """Who did that."""
    submitted: str
    """When, ISO 8601 with zone."""


def write_submission(directory: Path, submission: Submission) -> None:
    """Replace what is known of the last submission."""
    text = json.dumps(asdict(submission), indent=1)
    replace_private(directory / FOLDER / FILE_NAME, text.encode())


def read_submission(directory: Path) -> Submission | None:
    """Look up the last submission; None if there was none, or none that can be read."""
    try:
        content = json.loads((directory / FOLDER / FILE_NAME).read_bytes())
        return Submission(**{**content, "presubmitted": tuple(content["presubmitted"])})
    except (FileNotFoundError, NotADirectoryError, PermissionError):  # another user's folder
        return None
    except (ValueError, TypeError, KeyError):
        return None
