"""Results are computed once, when what they are of is there, and the same whenever that is."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from damaging import flip
from expected_results import ANALYSIS, FRAMES, OF_RUNS, Stored, names_of
from numpy.testing import assert_array_equal

from glasscreep.analysis.triangulation import delaunay
from glasscreep.tasks.analyse import analyse_block
from glasscreep.tasks.blocks import ready_blocks
from glasscreep.tasks.observable import Kind
from glasscreep.tasks.registry import OBSERVABLES


@pytest.mark.slow
def test_nothing_is_computed_twice_but_for_the_block_under_way(
    make, corner, every_result, tmp_path, monkeypatch, small_files
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
    for name in names_of(every_result):
        assert_array_equal(campaign.array(name)[0], every_result.array(name)[0], err_msg=name)


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


def test_a_result_of_a_run_waits_for_what_it_is_computed_from(every_result):
    task = replace(every_result.task(0), run_id="not begun")
    blocks = ready_blocks(task, FRAMES, FRAMES - 1)  # the last frame's positions are to come
    assert [block.names for block in blocks if block.kind is Kind.RUN] == ["creep_fit"]
    whole = ready_blocks(task, FRAMES, FRAMES)
    assert sum(block.kind is Kind.RUN for block in whole) == 3  # one more for each interval


@pytest.mark.slow
def test_results_added_later_are_the_same(make, corner, every_result, tmp_path, small_files):
    some = {**ANALYSIS, "results": ["strain", "voronoi_volume"]}
    campaign = make(tmp_path / "filled", corner, analysis=some)
    campaign.write(0, FRAMES)
    campaign.analyse(0)
    assert "features" not in names_of(campaign)
    more = campaign.extended(analysis=ANALYSIS)
    assert not any("voronoi_volume" in block.names for block in more.blocks(0))
    more.analyse(0)
    for name in names_of(every_result):
        assert_array_equal(more.array(name)[0], every_result.array(name)[0], err_msg=name)


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
    flip(damaged, at=9)
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
