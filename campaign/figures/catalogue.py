"""Which figures a report has."""

from glasscreep.campaign.figures.figure_correlation import figure_correlation
from glasscreep.campaign.figures.figure_d2min import figure_d2min
from glasscreep.campaign.figures.figure_learning import figure_model, figure_study
from glasscreep.campaign.figures.figure_looseness import figure_distributions, figure_mean
from glasscreep.campaign.figures.figure_memory import figure_memory
from glasscreep.campaign.figures.figure_strain import figure_strain
from glasscreep.campaign.figures.panel import Figure
from glasscreep.campaign.report_source import Source

MAKERS = (
    figure_strain,
    figure_d2min,
    figure_study,
    figure_model,
    figure_distributions,
    figure_mean,
    figure_correlation,
    figure_memory,
)


def figures_of(source: Source) -> tuple[Figure, ...]:
    """Give the paper's Figures 2 to 9 of a campaign, nothing read or drawn yet."""
    return tuple(make(source) for make in MAKERS)
