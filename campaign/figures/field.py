"""The field of particles that correlations are of: looseness, or D2min while there is none."""

from glasscreep.campaign.figures.labels import AREA, labelled
from glasscreep.campaign.report_source import Source
from glasscreep.tasks.looseness_results import LOOSENESS


def field_name(source: Source) -> str:
    """Name the field in words."""
    return "looseness" if source.field == LOOSENESS else f"D²min over {source.interval:,} steps"


def field_symbol(source: Source) -> str:
    """Write the field as a symbol."""
    return "L" if source.field == LOOSENESS else "D^2_{\\min}"


def of_field(what: str, source: Source) -> str:
    """Write the label of an axis that has the units of the field, if it has some."""
    return what if source.field == LOOSENESS else labelled(what, AREA, source.system)


def instead(source: Source) -> str:
    """Say what stands in for looseness, if the campaign has none."""
    return "" if source.field == LOOSENESS else ". The paper's is of looseness, not there yet"
