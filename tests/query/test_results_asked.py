"""Tables of results hold what is stored, summed up or in long form."""

from expected_results import FRAMES, names_of
from numpy.testing import assert_allclose, assert_array_equal

from glasscreep.analysis.interstice_presets import FEATURES
from glasscreep.campaign.query import query_table


def test_queries_of_particles_are_summed_up_by_species(every_result):
    values, species = (
        every_result.array("voronoi_volume")[0].astype(float),
        every_result.array("species"),
    )
    table = query_table(every_result.directory, "voronoi_volume")
    assert table["frame"].tolist() == list(range(FRAMES))
    for kind, label in enumerate("AB", start=1):
        own = values[:, species == kind]
        assert_allclose(table[f"mean_{label}"], own.mean(axis=1), rtol=1e-12)
        assert_allclose(table[f"std_{label}"], own.std(axis=1), rtol=1e-12)
    features = query_table(every_result.directory, "features")
    assert len(features) == FRAMES * len(FEATURES)
    one = features[(features["feature"] == "std(V)") & (features["frame"] == 3)]
    own = every_result.array("features")[0, 3, species == 2, FEATURES.index("std(V)")]
    assert_allclose(one["mean_B"], own.mean(), rtol=1e-6)
    counts = query_table(every_result.directory, "coordination")
    assert counts["neighbor_species"].tolist()[:4] == ["A", "B", "A", "B"]
    assert (counts["mean_A"] > 0).all()


def test_queries_of_curves_are_long(every_result):
    table = query_table(every_result.directory, "rdf")
    assert list(table)[-3:] == ["pair", "rdf_distance", "value"]
    assert_array_equal(table["value"], every_result.array("rdf")[0].ravel())
    assert table["pair"].tolist()[:21:20] == ["AA", "AB"]
    lags = query_table(every_result.directory, "tacf_d2min_20")
    assert lags["lag"].tolist() == list(range(FRAMES))
    assert len(query_table(every_result.directory, "overlap", replica=1)) == 0


def test_every_result_can_be_queried(every_result):
    for name in names_of(every_result):
        assert len(query_table(every_result.directory, name, temperature=0.1, replica=0)), name
