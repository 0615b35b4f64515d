"""Which figures a report has."""

from glasscreep.campaign.figures.figure_correlation import figure_correlation
from glasscreep.campaign.figures.figure_d2min import figure_d2min
from glasscreep.campaign.figures.figure_learning import figure_model, figure_study
from glasscreep.campaign.figures.figure_looseness import figure_distributions, figure_mean
from glasscreep.campaign.figures.figure_memory import figure_memory
from glasscreep.campaign.figures.figure_strain import figure_strain

MAKERS = {
    2: figure_strain,
    3: figure_d2min,
    4: figure_study,
    5: figure_model,
    6: figure_distributions,
    7: figure_mean,
    8: figure_correlation,
    9: figure_memory,
}
"""What makes each figure, nothing read or drawn yet; by its number in the paper."""
