"""Every result in the store is its function's, called on the stored frames one by one."""

import inspect
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import zarr
from numpy.testing import assert_allclose, assert_array_equal

from glasscreep.analysis.coordination_numbers import coordination
from glasscreep.analysis.decorrelation import decorrelation_times
from glasscreep.analysis.deformation import local_strain
from glasscreep.analysis.displacement import mean_squared_displacement, self_overlap, unwrap
from glasscreep.analysis.energies import local_energy
from glasscreep.analysis.histograms import histogram, log_edges
from glasscreep.analysis.interstice_presets import FEATURES
from glasscreep.analysis.interstices import interstice_features
from glasscreep.analysis.nonaffine import d2min
from glasscreep.analysis.spatial import spatial_autocorrelation
from glasscreep.analysis.steinhardt import bond_order
from glasscreep.analysis.structure import partial_rdf
from glasscreep.analysis.tail import tail_exponent
from glasscreep.analysis.temporal import temporal_autocorrelation
from glasscreep.analysis.triangulation import delaunay
from glasscreep.analysis.voronoi_cells import voronoi_volumes
from glasscreep.analysis.voxels import size_fluctuations, voxel_field
from glasscreep.campaign.analysis_section import (
    HistogramSection,
    OverlapSection,
    RdfSection,
    SacfSection,
    VoxelsSection,
)
from glasscreep.campaign.query import query_table
from glasscreep.tasks.analyse import analyse_block
from glasscreep.tasks.blocks import array_names, ready_blocks
from glasscreep.tasks.observable import Kind
from glasscreep.tasks.physics import derived_seed
from glasscreep.tasks.reader import FrameReader
from glasscreep.tasks.registry import BUILT_IN, OBSERVABLES

FRAMES = 12
ANALYSIS = {
    "results": list(BUILT_IN),
    "d2min_intervals": [20, 60],
    "rdf": {"reach": 2.5, "bins": 20},
    "sacf": {"reach": 2.0, "bins": 10},
    "voxels": {"voxels": 3, "divisions": [1, 2, 3]},
    "overlap": {"distance": 0.05},
    "tail_exponent": {"samples": 400},
}
EPSILON, SIGMA = [[1.0, 1.5], [1.5, 0.5]], [[1.0, 0.8], [0.8, 0.88]]
CUTOFFS = [[1.41, 1.09], [1.09, 1.24]]


class Stored:
    """The stored frames of a run, each read by itself."""

    def __init__(self, campaign, row=0):
        reader = FrameReader(campaign.prepared.store)
        self.position = [reader.position(row, frame) for frame in range(FRAMES)]
        self.edges = reader.box_edges(row)
        images = [reader.image(row, frame) for frame in range(FRAMES)]
        self.unwrapped = list(map(unwrap, self.position, images, self.edges))
        self.species, self.run_id = reader.species, campaign.place(row).name
        self.loose = self.species == 1

    def at(self, frame):
        return self.position[frame], self.edges[frame]

    def pair(self, frame, apart):
        positions = self.position[frame], self.position[frame + apart]
        return *positions, self.edges[frame], self.edges[frame + apart]

    def since(self, frame):
        return self.unwrapped[0], self.unwrapped[frame], self.edges[0], self.edges[frame]

    def field(self, frame, apart=1):
        position, edges = self.at(frame)
        return position[self.loose], edges, d2min(*self.pair(frame, apart))[self.loose]


def partial(stored, frame):
    g = partial_rdf(*stored.at(frame), stored.species, 2.5, 20).partial
    return np.stack([g[0, 0], g[0, 1], g[1, 1]])


def counted(stored, frame):
    values = d2min(*stored.pair(frame, 3))
    found = [histogram(values[stored.species == kind], log_edges()) for kind in (1, 2)]
    return [[own.below, *own.counts, own.above] for own in found]


OF_FRAMES = {
    "features": lambda s, t: interstice_features(*s.at(t), s.species),
    "voronoi_volume": lambda s, t: voronoi_volumes(*s.at(t), delaunay(*s.at(t))),
    "coordination": lambda s, t: coordination(*s.at(t), CUTOFFS, s.species),
    "local_energy": lambda s, t: local_energy(*s.at(t), s.species, EPSILON, SIGMA, 2.5),
    "bond_order": lambda s, t: bond_order(*s.at(t), (4, 6)),
    "rdf": partial,
    "displacement": lambda s, t: mean_squared_displacement(*s.since(t), species=s.species),
    "overlap": lambda s, t: self_overlap(*s.since(t), distance=0.05, species=s.species),
    "local_shear_20": lambda s, t: local_strain(*s.pair(t, 1)).shear,
    "local_shear_60": lambda s, t: local_strain(*s.pair(t, 3)).shear,
    "d2min_histogram_60": counted,
    "sacf_d2min_20": lambda s, t: spatial_autocorrelation(*s.field(t), 2.0, 10).value,
}


def fields(stored):
    return np.stack([voxel_field(*stored.field(frame), 3).mean for frame in range(FRAMES - 1)])


def fluctuations(stored):
    first, *rest = (size_fluctuations(*stored.field(t), (1, 2, 3)) for t in range(FRAMES - 1))
    return sum(rest, first).value


def tail(stored):
    values = np.sort(np.concatenate([stored.field(frame)[2] for frame in range(FRAMES - 1)]))
    fit = tail_exponent(values[-400:])
    return [fit.exponent, fit.stderr, fit.lower, fit.samples, fit.distance]


def times(stored):
    seed = derived_seed(stored.run_id, "decorrelation_times_d2min_20")
    return decorrelation_times(fields(stored), seed)


OF_RUNS = {
    "tail_exponent_20": tail,
    "tacf_d2min_20": lambda s: [*temporal_autocorrelation(fields(s)).value, np.nan],
    "decorrelation_times_d2min_20": lambda s: times(s).times.ravel() * 0.2,
    "decorrelation_times_d2min_20_surrogate": lambda s: times(s).surrogate.ravel() * 0.2,
    "size_fluctuations_d2min_20": fluctuations,
}


@pytest.fixture(scope="module")
def done(tmp_path_factory, make, corner, shrink):
    """Make a campaign with all results of run 0, analysed as its frames came. Not to be changed."""
    with pytest.MonkeyPatch.context() as patch:
        shrink(patch)
        campaign = make(tmp_path_factory.mktemp("results") / "filled", corner, analysis=ANALYSIS)
        for until in (6, FRAMES):
            campaign.write(0, until)
            campaign.analyse(0)
    return campaign


@pytest.fixture(scope="module")
def stored(done):
    return Stored(done)


def names_of(campaign):
    return [name for result in campaign.prepared.results for name in array_names(result)]


@pytest.mark.parametrize("name", OF_FRAMES)
def test_a_result_of_frames_is_its_functions(done, stored, name):
    apart = int(done.attributes(name).get("interval", 0)) // 20
    values = done.array(name)[0]
    expected = [OF_FRAMES[name](stored, frame) for frame in range(FRAMES - apart)]
    assert_array_equal(values[: FRAMES - apart], np.array(expected).astype(values.dtype))
    assert np.isfinite(values[: FRAMES - apart]).any()
    missing = done.open_array(name).fill_value
    assert_array_equal(values[FRAMES - apart :], np.full_like(values[FRAMES - apart :], missing))


@pytest.mark.parametrize("name", OF_RUNS)
def test_a_result_of_a_run_is_its_functions(done, stored, name):
    values = done.array(name)[0]
    assert_array_equal(values, OF_RUNS[name](stored))
    assert np.isfinite(values).any()
    assert np.isnan(done.array(name)[1:]).all()


def test_no_result_is_left_untested(done):
    elsewhere = {"strain", "strain_loaded", "creep_fit", "d2min_20", "d2min_60"}
    tested = {name.replace("_60", "_20") for name in (*OF_FRAMES, *OF_RUNS)}
    assert {name.replace("_60", "_20") for name in names_of(done)} - elsewhere == tested


def test_every_result_says_what_it_is(done):
    for result in done.prepared.results:
        for name in array_names(result):
            attributes = done.attributes(name)
            assert {"units", "long_name", "definition", "parameters"} <= set(attributes), name
            assert attributes["observable"] == result.observable
    assert done.attributes("features")["parameters"] == {
        "preset": "wu2023", "cells": "delaunay", "triangles": "central", "measure": "absolute",
        "clip": False, "radii": [0.5, 0.3], "face_cut": 0.0, "ddof": 0,
    }  # fmt: skip
    assert done.attributes("sacf_d2min_60")["parameters"] == {
        "reach": 2.0, "bins": 10, "source": "d2min_60", "d2min_60": {"cutoff": 2.5},
    }  # fmt: skip


def test_coordinates_are_those_of_the_functions(done):
    assert done.array("feature").tolist() == list(FEATURES)
    assert_array_equal(done.array("d2min_bin"), [0, *log_edges()])
    g = partial_rdf([[0, 0, 0], [1, 1, 1]], [9, 9, 9], [1, 2], 2.5, 20)
    assert_allclose(done.array("rdf_distance"), g.distance)


@pytest.mark.parametrize(
    ("function", "section"),
    [
        (partial_rdf, RdfSection),
        (self_overlap, OverlapSection),
        (log_edges, HistogramSection),
        (spatial_autocorrelation, SacfSection),
        (voxel_field, VoxelsSection),
        (size_fluctuations, VoxelsSection),
    ],
)
def test_defaults_are_those_of_the_functions(function, section):
    parameters = inspect.signature(function).parameters
    common = {
        name: parameters[name].default for name in section().model_dump() if name in parameters
    }
    assert common
    assert common.items() <= section().model_dump().items()


@pytest.mark.slow
def test_nothing_is_computed_twice_but_for_the_block_under_way(
    make, corner, done, tmp_path, monkeypatch, small_files
):
    campaign = make(tmp_path / "filled", corner, analysis=ANALYSIS)
    campaign.write(0, FRAMES)
    calls, wanted, kills = Counter(), len(campaign.blocks(0)), 0

    def counting(entry):
        def compute(frames, result, frame):
            calls[result.name, frame] += 1
            return entry.compute(frames, result, frame)

        return replace(entry, compute=compute)

    for name, entry in OBSERVABLES.items():
        monkeypatch.setitem(OBSERVABLES, name, counting(entry))
    seen = []
    while blocks := campaign.blocks(0):
        seen.append(len(blocks))
        for block in blocks[:3]:  # then it is killed, while it computes the fourth
            assert analyse_block(block).kind == "done"
        kills += 1
    assert kills >= 5
    assert seen == list(range(wanted, 0, -3))
    assert set(calls.values()) == {1}
    for name in names_of(done):
        assert_array_equal(campaign.array(name)[0], done.array(name)[0], err_msg=name)


def test_a_frame_is_triangulated_once_for_all_its_results(
    make, corner, tmp_path, monkeypatch, small_files
):
    some = {**ANALYSIS, "results": ["features", "voronoi_volume", "bond_order"]}
    campaign = make(tmp_path / "filled", corner, steps=5 * 20, analysis=some)
    campaign.write(0, 5)
    calls = []

    def counting(positions, box, previous=None):
        calls.append(previous is not None)
        return delaunay(positions, box, previous)

    monkeypatch.setattr("glasscreep.analysis.triangulation.delaunay", counting)
    campaign.analyse(0)
    assert calls == [False, True, True, True, False]  # blocks of four frames, and of one


def test_a_result_of_a_run_waits_for_what_it_is_computed_from(done):
    task = replace(done.task(0), run_id="not begun")
    blocks = ready_blocks(task, FRAMES, FRAMES - 1)  # the last frame's positions are to come
    assert [block.names for block in blocks if block.kind is Kind.RUN] == ["creep_fit"]
    whole = ready_blocks(task, FRAMES, FRAMES)
    assert sum(block.kind is Kind.RUN for block in whole) == 3  # one more for each interval


@pytest.mark.slow
def test_results_added_later_are_the_same(make, corner, done, tmp_path, small_files):
    some = {**ANALYSIS, "results": ["strain", "voronoi_volume"]}
    campaign = make(tmp_path / "filled", corner, analysis=some)
    campaign.write(0, FRAMES)
    campaign.analyse(0)
    assert "features" not in names_of(campaign)
    more = campaign.extended(analysis=ANALYSIS)
    assert not any("voronoi_volume" in block.names for block in more.blocks(0))
    more.analyse(0)
    for name in names_of(done):
        assert_array_equal(more.array(name)[0], done.array(name)[0], err_msg=name)


@pytest.mark.slow
def test_a_longer_run_gets_its_results_of_the_whole_again(make, corner, tmp_path, small_files):
    campaign = make(tmp_path / "filled", corner, steps=6 * 20, analysis=ANALYSIS)
    campaign.write(0, 6)
    campaign.analyse(0)
    short = campaign.array("tacf_d2min_20")[0]
    creep = {**campaign.prepared.campaign.creep.model_dump(), "steps": FRAMES * 20}
    longer = campaign.extended(creep=creep)
    assert longer.blocks(0) == []
    longer.write(0, FRAMES)
    longer.analyse(0)
    stored = Stored(longer)
    assert np.isfinite(short).sum() == 5
    assert_array_equal(longer.array("tacf_d2min_20")[0], OF_RUNS["tacf_d2min_20"](stored))


def test_damage_of_what_a_result_is_computed_from_is_named(make, corner, tmp_path, small_files):
    some = {**ANALYSIS, "results": ["d2min"]}
    campaign = make(tmp_path / "filled", corner, analysis=some)
    campaign.write(0, FRAMES)
    campaign.analyse(0)
    more = campaign.extended(analysis={**ANALYSIS, "results": ["d2min", "sacf", "tacf"]})
    damaged, lost = (more.prepared.store / "d2min_20" / f"c.0.{file}.0" for file in (1, 2))
    content = bytearray(damaged.read_bytes())
    content[9] ^= 1
    damaged.write_bytes(content)
    lost.unlink()
    first, second, third = (b for b in more.blocks(0) if b.names == "sacf_d2min_20")
    assert analyse_block(first).kind == "done"
    outcome = analyse_block(second)
    assert outcome.kind == "damaged"
    run_id = campaign.place(0).name
    assert f"run {run_id}, frames 4 to 7, array d2min_20 is damaged" in outcome.message
    outcome = analyse_block(third)
    assert outcome.kind == "damaged"
    assert "frame 8 is not there; its file is lost" in outcome.message


def test_queries_of_particles_are_summed_up_by_species(done):
    values, species = done.array("voronoi_volume")[0].astype(float), done.array("species")
    table = query_table(done.directory, "voronoi_volume")
    assert table["frame"].tolist() == list(range(FRAMES))
    for kind, label in enumerate("AB", start=1):
        own = values[:, species == kind]
        assert_allclose(table[f"mean_{label}"], own.mean(axis=1), rtol=1e-12)
        assert_allclose(table[f"std_{label}"], own.std(axis=1), rtol=1e-12)
    features = query_table(done.directory, "features")
    assert len(features) == FRAMES * len(FEATURES)
    one = features[(features["feature"] == "std(V)") & (features["frame"] == 3)]
    own = done.array("features")[0, 3, species == 2, FEATURES.index("std(V)")]
    assert_allclose(one["mean_B"], own.mean(), rtol=1e-6)
    counts = query_table(done.directory, "coordination")
    assert counts["neighbor_species"].tolist()[:4] == ["A", "B", "A", "B"]
    assert (counts["mean_A"] > 0).all()


def test_queries_of_curves_are_long(done):
    table = query_table(done.directory, "rdf")
    assert list(table)[-3:] == ["pair", "rdf_distance", "value"]
    assert_array_equal(table["value"], done.array("rdf")[0].ravel())
    assert table["pair"].tolist()[:21:20] == ["AA", "AB"]
    lags = query_table(done.directory, "tacf_d2min_20")
    assert lags["lag"].tolist() == list(range(FRAMES))
    assert len(query_table(done.directory, "overlap", replica=1)) == 0


def test_every_result_can_be_queried(done):
    for name in names_of(done):
        assert len(query_table(done.directory, name, temperature=0.1, replica=0)), name


def test_zarr_reads_what_is_not_written_with_it(done):
    group = zarr.open_group(done.prepared.store, mode="r")
    reader = FrameReader(done.prepared.store)
    for name in ("features", "coordination", "d2min_60", "position"):
        assert_array_equal(group[name][0], reader.sharded(name).read(0, 0, FRAMES))
