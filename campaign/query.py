"""One result of chosen runs, for those who ask with a directory and a few numbers."""

from pathlib import Path

import pandas as pd

from glasscreep.campaign.opened import open_campaign


def query_table(
    directory: Path | str,
    result: str,
    temperature: float | None = None,
    stress: float | None = None,
    replica: int | None = None,
) -> pd.DataFrame:
    """Take one result of chosen runs out of a campaign, finished or still running.

    Parameters
    ----------
    directory : Path or str
        Campaign directory.
    result : str
        As for `OpenedCampaign.table`, which is what is given back.
    temperature, stress, replica : float, float, int, optional
        Only runs at this temperature [energy], under this stress [energy / length**3], of
        this replica.

    Raises
    ------
    GlasscreepError
        If there is no campaign, result or run of that description; it names those there are.
    """
    return open_campaign(directory).select(temperature, stress, replica).table(result)
