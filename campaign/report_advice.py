"""What to do for a result that a campaign does not have."""

from pathlib import Path

from glasscreep.campaign.sections import Campaign
from glasscreep.tasks.looseness_results import LOOSENESS
from glasscreep.tasks.registry import OBSERVABLES


def what_computes(name: str, campaign: Campaign, directory: Path, *, is_there: bool) -> str:
    """Say why there is nothing of a result, and what computes it.

    Parameters
    ----------
    name : str
        Of its array.
    campaign : Campaign
        What is asked for.
    directory : Path
        Campaign directory.
    is_there : bool
        Whether the store has the array.
    """
    observable = max(
        (known for known in OBSERVABLES if name == known or name.startswith(f"{known}_")),
        key=len,
    )
    asked = observable in campaign.analysis.results
    if asked and LOOSENESS in name and campaign.awaits_model(directory):
        return (
            f"{name} awaits a model: `glasscreep learn CAMPAIGN.toml --dir DIR`, "
            "then `glasscreep run` with the same file"
        )
    if asked and is_there:
        return f"nothing of {name} is computed yet; `glasscreep run CAMPAIGN.toml` goes on"
    return (
        f'{name} is not asked for: add "{observable}" to results in [analysis] of the campaign '
        "file (and what it is computed from), then `glasscreep run CAMPAIGN.toml`"
    )
