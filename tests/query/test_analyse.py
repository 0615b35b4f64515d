"""Analysis in blocks is the analysis of the whole, whatever happens in between."""

import errno
import os
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from damaging import flip
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from glasscreep.analysis.creep import creep_fit
from glasscreep.analysis.nonaffine import d2min
from glasscreep.tasks import analyse, layout, result_arrays, scratch
from glasscreep.tasks.analyse import analyse_block, compute_block
from glasscreep.tasks.analysed import ANALYSED, Analysed, encode_analysed, read_analysed
from glasscreep.tasks.blocks import ready_blocks
from glasscreep.tasks.errors import DamagedError, FencedError
from glasscreep.tasks.observable import Result
from glasscreep.tasks.reader import FrameReader

RESULTS = ("strain", "strain_loaded", "creep_fit", "d2min_20", "d2min_60")


def results_of(campaign, row):
    return {name: campaign.array(name)[row] for name in RESULTS}


def assert_same_results(ours, theirs):
    for name in RESULTS:
        assert_array_equal(ours[name], theirs[name], err_msg=name, strict=True)


def test_results_are_those_of_the_stored_frames(campaign):
    campaign.write(0, 12)
    campaign.analyse(0)
    results, reader = results_of(campaign, 0), FrameReader(campaign.prepared.store)
    edges = reader.box_edges(0)
    assert_allclose(results["strain"], 1 - edges[:, 2] / (campaign.frames.box[0, 2] * 1.01))
    assert_allclose(results["strain_loaded"], 1 - edges[:, 2] / edges[0, 2], atol=1e-15)
    fit = creep_fit(campaign.array("time"), results["strain"])
    expected = [fit.slope, fit.intercept, fit.slope_stderr, fit.intercept_stderr]
    assert_array_equal(results["creep_fit"], expected)
    for apart, name in ((1, "d2min_20"), (3, "d2min_60")):
        for t0 in range(12 - apart):
            t1 = t0 + apart
            frames = reader.position(0, t0), reader.position(0, t1)
            assert_array_equal(results[name][t0], d2min(*frames, edges[t0], edges[t1]))
        assert np.isnan(results[name][12 - apart :]).all()


def test_other_runs_are_left_alone(campaign):
    campaign.write(0, 12)
    campaign.analyse(0)
    for name in RESULTS:
        assert np.isnan(campaign.array(name)[1:]).all()


def test_what_is_done_is_not_done_again(campaign):
    campaign.write(0, 7)
    assert {block.names for block in campaign.blocks(0)} == {"strain", "d2min_20", "d2min_60"}
    campaign.analyse(0)
    assert campaign.blocks(0) == []
    campaign.write(0, 12)
    again = [(block.names, block.start, block.stop) for block in campaign.blocks(0)]
    # Positions of frames 0 to 3 were in the store, scalars of all 7.
    assert again == [
        ("strain", 7, 8),
        ("strain", 8, 12),
        ("creep_fit", 0, 12),
        ("d2min_20", 3, 4),
        ("d2min_20", 4, 8),
        ("d2min_20", 8, 11),
        ("d2min_60", 1, 4),
        ("d2min_60", 4, 8),
        ("d2min_60", 8, 9),
    ]


def test_an_extended_run_gets_only_what_is_new(campaign):
    campaign.write(0, 12)
    campaign.analyse(0)
    longer = campaign.extended(
        creep={**campaign.prepared.campaign.creep.model_dump(), "steps": 18 * 20},
        analysis={"d2min_intervals": [20, 40, 60]},
    )
    new = [(block.names, block.start) for block in longer.blocks(0)]
    assert new == [("d2min_40", 0), ("d2min_40", 4), ("d2min_40", 8)]
    before = results_of(longer, 0)
    longer.write(0, 18)
    longer.analyse(0)
    after = results_of(longer, 0)
    assert_array_equal(after["strain"][:12], before["strain"][:12])
    assert_array_equal(after["d2min_20"][:11], before["d2min_20"][:11])
    assert np.isfinite(after["d2min_20"][:17]).all()
    assert_allclose(after["creep_fit"][0], creep_fit(longer.array("time"), after["strain"]).slope)


def test_a_fit_of_all_frames_is_not_replaced_by_one_of_the_first(campaign):
    campaign.write(0, 12)
    campaign.analyse(0)
    fewer = replace(campaign.task(0), frames_wanted=6)
    assert ready_blocks(fewer, 12, 12) == []


@pytest.mark.slow
@settings(max_examples=4)
@given(st.lists(st.integers(1, 5), min_size=1, max_size=4), st.data())
def test_blocks_are_the_whole(make, corner, steps, data):
    """Commit and analyse in any portions, some blocks twice: values and files are the same."""
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # syncs cost nothing there
    with tempfile.TemporaryDirectory(dir=memory) as place, pytest.MonkeyPatch.context() as patch:
        position = data.draw(st.integers(1, 5), "position")
        patch.setattr(layout, "POSITION_SHARD_FRAMES", position)
        patch.setattr(layout, "IMAGE_SHARD_FRAMES", position)
        # The writer wants the chunks of scalars to hold whole shards.
        patch.setattr(layout, "SCALAR_CHUNK_FRAMES", position * data.draw(st.integers(1, 3)))
        patch.setattr(result_arrays, "FILE_FRAMES", data.draw(st.integers(1, 5), "result"))
        patch.setattr("glasscreep.tasks.blocks.BLOCK_FRAMES", data.draw(st.integers(1, 5), "block"))
        campaign = make(Path(place) / "filled", corner)
        for until in [*np.minimum(np.cumsum(steps), 12).tolist(), 12]:
            campaign.write(0, until)
            ready = campaign.blocks(0)
            for block in ready:
                compute_block(block)
            if ready:
                compute_block(data.draw(st.sampled_from(ready), "again"))
        assert campaign.blocks(0) == []
        reader, results = FrameReader(campaign.prepared.store), results_of(campaign, 0)
        edges = reader.box_edges(0)
        pairs = [(reader.position(0, t0), reader.position(0, t0 + 1)) for t0 in range(11)]
        whole = [d2min(*pair, edges[t0], edges[t0 + 1]) for t0, pair in enumerate(pairs)]
        assert_array_equal(results["d2min_20"][:11], whole)
        assert_array_equal(results["strain_loaded"], 1 - edges[:, 2] / edges[0, 2])


class KilledError(BaseException):
    """Stands for SIGKILL: nothing in the product catches it."""


def test_killed_at_any_write_it_goes_on_and_loses_one_block_at_most(campaign, monkeypatch):
    campaign.write(0, 12)
    uninterrupted = campaign.copied("uninterrupted")
    uninterrupted.analyse(0)
    renames = at = kills = 0
    replace, remove = scratch.os.replace, scratch.Scratch.remove

    def dying(source, target):
        nonlocal renames
        renames += 1
        if renames == at:
            raise KilledError
        replace(source, target)

    def remove_unless_dead(self):
        if renames < at:
            remove(self)

    blocks = campaign.blocks(0)
    while left := len(campaign.blocks(0)):
        at, renames = at + 1, 0
        with monkeypatch.context() as patch:
            patch.setattr(scratch.os, "replace", dying)
            patch.setattr(scratch.Scratch, "remove", remove_unless_dead)
            try:
                campaign.analyse(0)
            except KilledError:
                kills += 1
        whole_blocks = (at - 1) // 3  # a block is three files at most, the note of it among them
        assert len(campaign.blocks(0)) <= left - whole_blocks
    assert kills >= 5
    assert len(blocks) == 9
    assert_same_results(results_of(campaign, 0), results_of(uninterrupted, 0))
    assert list((campaign.place(0) / "analysis").iterdir()) == []


def test_damaged_positions_are_named_and_do_not_stop_the_driver(campaign):
    campaign.write(0, 12)
    flip(campaign.prepared.store / "position" / "c.0.1.0.0", at=100)
    blocks = [block for block in campaign.blocks(0) if block.names == "d2min_20"]
    outcomes = [analyse_block(block) for block in blocks]
    assert [outcome.kind for outcome in outcomes] == ["damaged", "damaged", "done"]
    run_id = campaign.place(0).name
    assert outcomes[0].id == run_id
    named = f"d2min_20, frames 0 to 3: run {run_id}, frame 4, array position is damaged"
    assert outcomes[0].message.startswith(named)
    with pytest.raises(DamagedError, match=f"run {run_id}, frame 4, array position"):
        compute_block(blocks[0])
    assert blocks == [block for block in campaign.blocks(0) if block.names == "d2min_20"]


def test_a_damaged_result_is_named(campaign):
    campaign.write(0, 7)
    campaign.analyse(0)
    campaign.write(0, 12)
    flip(campaign.prepared.store / "d2min_20" / "c.0.0.0", at=-40)
    block = next(block for block in campaign.blocks(0) if block.names == "d2min_20")
    assert block.start == 3  # frames 0 to 2 share its file
    with pytest.raises(DamagedError, match=r"frames before 3, array d2min_20 is damaged"):
        compute_block(block)


def test_full_disk_is_told_and_nothing_is_noted_as_done(campaign, monkeypatch):
    campaign.write(0, 12)
    before = campaign.blocks(0)

    def full(*_arguments, **_options):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(scratch, "write_new", full)
        outcome = analyse_block(before[0])
    assert outcome.kind == "storage"
    assert "strain" in outcome.message
    assert "No space left on device" in outcome.message
    assert campaign.blocks(0) == before


def test_a_worker_believed_lost_is_fenced_off(campaign, monkeypatch):
    campaign.write(0, 12)
    block = campaign.blocks(0)[-1]
    store = analyse._store

    def late(*arguments):
        monkeypatch.setattr(analyse, "_store", store)
        assert analyse_block(block).kind == "done"  # the one that took over
        store(*arguments)

    monkeypatch.setattr(analyse, "_store", late)
    with pytest.raises(FencedError, match="taken over"):
        compute_block(block)


def test_numbers_that_cannot_be_analysed_are_told(campaign):
    campaign.write(0, 12)
    block = next(block for block in campaign.blocks(0) if block.names.startswith("d2min"))
    wide = replace(block, results=(replace(block.results[0], parameters={"cutoff": 4.0}),))
    outcome = analyse_block(wide)
    assert outcome.kind == "crashed"
    assert "too small" in outcome.message


def test_other_parameters_or_damage_start_anew(tmp_path):
    strain = Result("strain", "strain", {"loading": "compression", "axis": "z"})
    pair = Result("d2min", "d2min_20", {"cutoff": 2.5}, 20)
    known = Analysed().noting((strain, pair), (7, 5)).failing([replace(pair, name="own")], "why")
    (tmp_path / ANALYSED).write_bytes(encode_analysed(known))
    assert read_analysed(tmp_path) == known
    assert [known.frames_of(strain), known.frames_of(pair)] == [7, 5]
    assert known.frames_of(replace(pair, parameters={"cutoff": 2.0})) == 0
    assert known.frames_of(replace(pair, name="d2min_40")) == 0
    assert known.without(["own", "strain"]).results.keys() == {"d2min_20"}
    assert known.without(["own"]).failed == {}
    whole = (tmp_path / ANALYSED).read_bytes()
    for at in range(len(whole)):
        damaged = bytearray(whole)
        damaged[at] ^= 1
        (tmp_path / ANALYSED).write_bytes(damaged)
        assert read_analysed(tmp_path) == Analysed()
    (tmp_path / ANALYSED).unlink()
    assert read_analysed(tmp_path) == Analysed()


def test_d2min_from_the_store_is_that_of_the_raw_frames(make, whole, tmp_path):
    campaign = make(tmp_path / "filled", whole, steps=80)
    campaign.write(0, 4)
    campaign.analyse(0)
    raw = [whole.record(0, frame) for frame in range(2)]
    exact = d2min(raw[0].position, raw[1].position, raw[0].box_edges, raw[1].box_edges)
    assert_allclose(campaign.array("d2min_20")[0, 0], exact, atol=1e-8, rtol=0)


def test_workers_do_not_import_dask_or_the_campaign_to_analyse():
    code = (
        "import sys, glasscreep.tasks.analyse\n"
        "print([name for name in ('dask', 'distributed', 'pandas', 'glasscreep.campaign')"
        " if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
