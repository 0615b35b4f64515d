"""What exported files are called."""

import os
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from glasscreep.campaign.outputs import demand_ending
from glasscreep.campaign.problems import RefusedError
from glasscreep.tasks.frame_files import Format
from glasscreep.tasks.spelling import did_you_mean

FIELDS = ("id", "temperature", "stress", "replica")
STEM = "T{temperature}_S{stress}_R{replica}_{id}"


def output_paths(
    runs: Sequence[Any], form: Format, output: Path | None, *, chosen: int
) -> list[Path]:
    """Name a file for each run.

    Parameters
    ----------
    runs : sequence
        Of what has the attributes `id`, `temperature`, `stress` and `replica`.
    form : Format
        What is to be written.
    output : Path or None
        A file, for one run; a pattern such as `{id}.xyz`; or a folder. None for the current
        folder.
    chosen : int
        How many runs were asked for: those that are left out do not make a name do.

    Returns
    -------
    list of Path
        One for each run.

    Raises
    ------
    RefusedError
        If two runs would share a file, an ending is not one of the format's, or a pattern has other
        names in braces.
    """
    folder, pattern = _pattern(output, form, chosen)
    paths = [folder / _filled(pattern, run) for run in runs]
    shared = [path for path, count in Counter(paths).items() if count > 1]
    if shared:
        msg = (
            f"--output {output} gives {len(runs)} runs {len(set(paths))} names, such as "
            f"{shared[0]} more than once. Put {{id}} into it, or name a folder."
        )
        raise RefusedError(msg)
    for path in paths:
        _demand_ending(path, form, is_for_one=len(runs) == 1)
    return paths


def _pattern(output: Path | None, form: Format, runs: int) -> tuple[Path, str]:
    """Find the folder, whose name is what it is, and what its files are called."""
    if output is None:
        return Path(), f"{STEM}{form.endings[0]}"
    text = str(output)
    if os.path.isdir(output) or (runs > 1 and "{" not in text):
        if output.name.endswith(form.all_endings):
            msg = (
                f"--output {output} is one file, and {runs} runs are chosen: one file holds one. "
                f"Give a pattern such as {STEM}{form.endings[0]}, a folder, or choose one run."
            )
            raise RefusedError(msg)
        return output, f"{STEM}{form.endings[0]}"
    return Path(), text


def _filled(pattern: str, run: Any) -> str:
    values = {
        "id": run.id,
        "temperature": f"{run.temperature:g}",
        "stress": f"{run.stress:g}",
        "replica": str(run.replica),
    }
    unknown = sorted(set(re.findall(r"{(.*?)}", pattern)) - set(FIELDS))
    if unknown:
        meant = did_you_mean(unknown[0], FIELDS)
        msg = (
            f"--output {pattern}: {{{unknown[0]}}} is not known; {f'{meant} In' if meant else 'in'} "
            f"braces may stand {', '.join(FIELDS)}."
        )
        raise RefusedError(msg)
    return re.sub(r"{(.*?)}", lambda found: values[found[1]], pattern)


def _demand_ending(path: Path, form: Format, *, is_for_one: bool) -> None:
    if is_for_one and not path.suffix and "{" not in str(path):
        msg = (
            f"--output {path}: there is no such folder. Make it first, or give the name of a file "
            f"that ends in {' or '.join(form.all_endings)}."
        )
        raise RefusedError(msg)
    demand_ending(path, form.title, form.all_endings)
