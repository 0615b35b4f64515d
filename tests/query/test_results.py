"""Every result in the store is its function's, called on the stored frames one by one."""

import inspect

import numpy as np
import pytest
import zarr
from expected_results import FRAMES, OF_FRAMES, OF_RUNS, Stored, names_of
from numpy.testing import assert_allclose, assert_array_equal

from glasscreep.analysis.displacement import self_overlap
from glasscreep.analysis.histograms import log_edges
from glasscreep.analysis.interstice_presets import FEATURES
from glasscreep.analysis.spatial import spatial_autocorrelation
from glasscreep.analysis.structure import partial_rdf
from glasscreep.analysis.voxels import size_fluctuations, voxel_field
from glasscreep.campaign.analysis_section import (
    HistogramSection,
    OverlapSection,
    RdfSection,
    SacfSection,
    VoxelsSection,
)
from glasscreep.tasks.blocks import array_names
from glasscreep.tasks.reader import FrameReader


@pytest.fixture(scope="module")
def stored(every_result):
    return Stored(every_result)


@pytest.mark.parametrize("name", OF_FRAMES)
def test_a_result_of_frames_is_its_functions(every_result, stored, name):
    apart = int(every_result.attributes(name).get("interval", 0)) // 20
    values = every_result.array(name)[0]
    expected = [OF_FRAMES[name](stored, frame) for frame in range(FRAMES - apart)]
    assert_array_equal(values[: FRAMES - apart], np.array(expected).astype(values.dtype))
    assert np.isfinite(values[: FRAMES - apart]).any()
    missing = every_result.open_array(name).fill_value
    assert_array_equal(values[FRAMES - apart :], np.full_like(values[FRAMES - apart :], missing))


@pytest.mark.parametrize("name", OF_RUNS)
def test_a_result_of_a_run_is_its_functions(every_result, stored, name):
    values = every_result.array(name)[0]
    assert_array_equal(values, OF_RUNS[name](stored))
    assert np.isfinite(values).any()
    assert np.isnan(every_result.array(name)[1:]).all()


def test_no_result_is_left_untested(every_result):
    elsewhere = {"strain", "strain_loaded", "creep_fit", "d2min_20", "d2min_60"}
    tested = {name.replace("_60", "_20") for name in (*OF_FRAMES, *OF_RUNS)}
    assert {name.replace("_60", "_20") for name in names_of(every_result)} - elsewhere == tested


def test_every_result_says_what_it_is(every_result):
    for result in every_result.prepared.results:
        for name in array_names(result):
            attributes = every_result.attributes(name)
            assert {"units", "long_name", "definition", "parameters"} <= set(attributes), name
            assert attributes["observable"] == result.observable
    assert every_result.attributes("features")["parameters"] == {
        "preset": "wu2023", "cells": "delaunay", "triangles": "central", "measure": "absolute",
        "clip": False, "radii": [0.5, 0.3], "face_cut": 0.0, "ddof": 0,
    }  # fmt: skip
    assert every_result.attributes("sacf_d2min_60")["parameters"] == {
        "reach": 2.0, "bins": 10, "source": "d2min_60", "d2min_60": {"cutoff": 2.5},
    }  # fmt: skip


def test_coordinates_are_those_of_the_functions(every_result):
    assert every_result.array("feature").tolist() == list(FEATURES)
    assert_array_equal(every_result.array("d2min_bin"), [0, *log_edges()])
    g = partial_rdf([[0, 0, 0], [1, 1, 1]], [9, 9, 9], [1, 2], 2.5, 20)
    assert_allclose(every_result.array("rdf_distance"), g.distance)


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


def test_zarr_reads_what_is_not_written_with_it(every_result):
    group = zarr.open_group(every_result.prepared.store, mode="r")
    reader = FrameReader(every_result.prepared.store)
    for name in ("features", "coordination", "d2min_60", "position"):
        assert_array_equal(group[name][0], reader.sharded(name).read(0, 0, FRAMES))
