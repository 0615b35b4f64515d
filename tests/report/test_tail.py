"""The power law that the report draws is that of the replicas, each with all it has above its bound."""

import numpy as np

from glasscreep.campaign.figures.figure_d2min import figure_d2min
from glasscreep.campaign.query import query_table
from glasscreep.campaign.report_source import Source


def test_the_line_is_the_mean_of_the_replicas_own_laws(whole):
    source = Source.of(whole.directory)
    panel = next(panel for panel in figure_d2min(source).panels if panel.letter == "C")
    table = panel.collect()
    drawn = table[table["fit"].notna()]
    temperature, stress = source.point
    tail = query_table(whole.directory, f"tail_exponent_{source.interval}", temperature, stress)
    d2min, species = whole.array(f"d2min_{source.interval}"), whole.array("species")
    laws, bounds = [], []
    for run, fitted in tail.groupby("run"):
        of = dict(zip(fitted["tail_parameter"], fitted["value"], strict=True))
        row = next(row for row in range(len(d2min)) if whole.place(row).name == run)
        values = d2min[row][:, species == 1]
        values = values[~np.isnan(values)]
        above = (values >= of["lower"]).mean()
        laws.append(above * (of["exponent"] - 1) / of["lower"])
        bounds.append((of["lower"], of["exponent"]))
    assert len(laws) == 2
    expected = [
        np.mean([a * (x / low) ** -power for a, (low, power) in zip(laws, bounds, strict=True)])
        for x in drawn["d2min"]
    ]
    assert len(drawn)
    assert drawn["d2min"].min() >= max(low for low, _ in bounds)
    np.testing.assert_allclose(drawn["fit"], expected, rtol=0.02)
