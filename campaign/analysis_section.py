"""The section `[analysis]` of a campaign file: which results, with which parameters."""

from typing import Annotated, Any

from glasscreep.campaign.fields import Allowed, Intervals, Positive, ResultNames
from glasscreep.campaign.section import Section

DEFAULT_RESULTS = ("strain", "creep_fit", "d2min")


class AnalysisSection(Section):
    """What is computed from the frames."""

    results: ResultNames = DEFAULT_RESULTS
    """What to compute; more may be added later."""
    d2min_intervals: Annotated[
        Intervals | None,
        Allowed("whole numbers of steps: multiples of creep.frame_interval below creep.steps"),
    ] = None
    """Between frames this far apart D2min is measured [steps]."""
    d2min_cutoff: Positive = 2.5
    """Neighbours of a particle are those nearer than this [length]."""

    def parameters(self) -> dict[str, dict[str, Any]]:
        """Gather the parameters of each observable that has some of its own here."""
        return {"d2min": {"cutoff": self.d2min_cutoff}}


def key_of(observable: str, parameter: str) -> str:
    """Name the key of a campaign file that a parameter of an observable comes from."""
    if observable == "d2min":
        return f"analysis.d2min_{parameter}"
    return f"analysis.{observable}.{parameter}"
