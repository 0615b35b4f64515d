"""What the campaign's page shows follows from a snapshot; nothing in it is taken for HTML."""

import asyncio
import gc
import json
import logging
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from bokeh.document import Document
from bokeh.models import Glyph, GlyphRenderer, HoverTool
from made_up import SNAPSHOT as BEGUN

from glasscreep.campaign import page_data
from glasscreep.campaign.page import campaign_page
from glasscreep.campaign.page_data import Feed
from glasscreep.campaign.page_figures import Labels
from glasscreep.campaign.page_map import axis_of, failure_columns, furthest, progress_columns
from glasscreep.campaign.page_strain import Curves, curve_of, read_curve
from glasscreep.campaign.page_text import facts, headline, rate_text
from glasscreep.campaign.page_view import View
from glasscreep.campaign.snapshot import (
    Active,
    AllocationState,
    Failure,
    read_snapshot,
    write_snapshot,
)

EVIL = "<script>alert('x')</script>"
SNAPSHOT = replace(
    BEGUN,
    runs={"new": 1, "partial": 2, "done": 1, "failed": 1},
    glasses_done=1,
    glasses_total=2,
    frames_done=10,
    frames_total=40,
    particle_steps_per_s=2e6,
    time_left_s=90.0,
    failures=(Failure("run 1", "replica 0", "crashed", EVIL, EVIL),),
    allocations=(AllocationState("md", "1", "RUNNING", "", "node", 2, 2),),
    trouble=EVIL,
    points=((0.1, 0.5, 5, 20, 0), (0.1, 0.7, 5, 20, 1), (0.3, 0.5, 0, 0, 2)),
)


def test_each_distinct_value_has_a_row_of_its_own_however_far_apart():
    axis = axis_of(np.array([0.1, 100.0, 0.1, 0.2]))
    np.testing.assert_array_equal(axis.at, [0, 2, 0, 1])
    assert axis.labels == {0: "0.1", 1: "0.2", 2: "100"}
    assert (axis.start, axis.end) == (-0.5, 2.5)


def test_a_hundred_rows_have_few_labels():
    axis = axis_of(np.repeat(np.arange(100) / 100, 100))
    assert 8 <= len(axis.labels) <= 16
    np.testing.assert_array_equal(np.unique(axis.at), np.arange(100))


def test_points_without_rows_are_at_their_values():
    values = np.random.default_rng(0).random(10_000)
    axis = axis_of(values)
    np.testing.assert_array_equal(axis.at, values)
    assert axis.start < values.min() < values.max() < axis.end
    assert not axis.labels


def test_columns_of_the_map():
    columns = progress_columns(Feed(SNAPSHOT).points)
    np.testing.assert_array_equal(columns["progress"], [25, 25, np.nan])
    np.testing.assert_array_equal(columns["count"], ["5/20", "5/20", ""])
    np.testing.assert_array_equal(columns["failed"], [0, 1, 2])


def test_points_with_failures_are_marked_within_their_cells():
    points = Feed(SNAPSHOT).points
    x, y = axis_of(points[:, 1]), axis_of(points[:, 0])
    marks = failure_columns(x, y, points)
    np.testing.assert_array_equal(np.round(marks["x"]), [1, 0])
    np.testing.assert_array_equal(np.round(marks["y"]), [0, 1])


def test_many_points_have_no_text():
    points = np.tile([0.1, 0.5, 1, 2, 0], (10_000, 1))
    assert set(progress_columns(points)) == {"done", "wanted", "failed", "progress"}


def test_simulations_are_told_from_when_they_are_handed_out():
    started = Active("run 1", "temperature 0.1, stress 0.5, replica 0", 4, 0, 0.0)
    text = facts(replace(SNAPSHOT, active=(started,)))
    row = "<td>temperature 0.1, stress 0.5, replica 0</td><td>4</td><td>-</td><td>-</td>"
    assert row in text
    assert "no simulation is under way" not in text


def test_without_a_simulation_nothing_is_said_of_slots_that_analyse():
    analysing = AllocationState("analysis", "1", "RUNNING", "", "node", 1, 1)
    text = facts(replace(SNAPSHOT, allocations=(analysing,)))
    assert "<p>no simulation is under way</p>" in text
    assert "<td>analysis</td><td>RUNNING</td><td>1</td><td>1</td>" in text


def test_the_furthest_point_is_shown_at_first():
    points = Feed(SNAPSHOT).points
    points[1, 2] = 7
    assert furthest(points) == [1]
    assert furthest(points[:0]) == []


@pytest.mark.parametrize(
    ("lengths", "replicas", "frames"),
    [([4, 4, 4], 3, 4), ([4, 1], 1, 4), ([4, 3, 3], 3, 3), ([9, 2, 2, 0], 1, 9), ([1], 1, 1)],
)
def test_a_curve_is_the_mean_over_the_same_replicas_all_along(lengths, replicas, frames):
    rows = [(run, time) for run, length in enumerate(lengths) for time in range(length)]
    table = pd.DataFrame(rows, columns=["run", "time"])
    table["value"] = 10 * table["time"] + table["run"] ** 2
    curve = curve_of(table)
    values = 10 * np.arange(frames)[:, None] + np.arange(replicas) ** 2
    np.testing.assert_array_equal(curve.time, np.arange(frames))
    np.testing.assert_allclose(curve.mean, values.mean(axis=1))
    spread = values.std(axis=1, ddof=1) if replicas > 1 else np.zeros(frames)
    np.testing.assert_allclose(curve.spread, spread, atol=1e-12)
    np.testing.assert_array_equal(curve.replicas, [replicas] * frames)


def test_of_no_frames_there_is_an_empty_curve():
    assert curve_of(pd.DataFrame(columns=["run", "time", "value"])).time.size == 0


def test_a_curve_that_can_not_be_read_says_why(tmp_path):
    assert "is not a campaign" in read_curve(tmp_path, (0.1, 0.5)).trouble


def test_whatever_fails_a_curve_says_why_and_is_not_read_again(tmp_path, monkeypatch):
    read = []

    def failing(*of, **more):
        read.append(of)
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("glasscreep.campaign.query.query_table", failing)

    async def ask():
        curves, told = Curves(tmp_path), asyncio.Event()
        curves.follow(told.set)
        assert curves.of((0.1, 0.5), 3) is None
        await asyncio.wait_for(told.wait(), 30)
        curve = curves.of((0.1, 0.5), 3)
        curves.close()
        return curve

    assert asyncio.run(ask()).trouble == "OSError: [Errno 5] Input/output error"
    assert len(read) == 1


def test_a_curve_is_read_once_and_again_when_there_are_new_frames(tmp_path, monkeypatch):
    read = []

    def reading(directory, point):
        read.append(point)
        return read_curve(directory, point)

    monkeypatch.setattr("glasscreep.campaign.page_strain.read_curve", reading)

    async def ask(*frames):
        curves, told = Curves(tmp_path), asyncio.Event()
        curves.follow(told.set)
        for count in frames:
            told.clear()
            before = len(read)
            curves.of((0.1, 0.5), count)
            curves.of((0.1, 0.5), count)
            if count != 3 or before == 0:
                await asyncio.wait_for(told.wait(), 30)
            assert curves.of((0.1, 0.5), count) is not None
        curves.close()

    asyncio.run(ask(3, 3, 4))
    assert len(read) == 2


def test_what_is_given_is_never_html():
    text = headline(SNAPSHOT, 0.1) + facts(SNAPSHOT)
    assert "<script" not in text
    assert text.count("&lt;script&gt;") == 2


@pytest.mark.parametrize(
    ("phase", "said"), [("finished", "since 2026-11-28 06:10:00"), ("running", "0:01:30")]
)
def test_the_headline_tells_what_is_to_come(phase, said):
    snapshot = replace(SNAPSHOT, phase=phase, updated="2026-11-28T06:10:00+00:00")
    text = headline(snapshot, 0.1)
    assert said in text
    assert ("frames/min" in text) == (phase == "running")


def test_where_only_analyses_are_left_the_headline_tells_of_those():
    left = replace(SNAPSHOT, runs={"new": 0, "partial": 0, "done": 4, "failed": 1}, to_analyse=3)
    text = headline(replace(left, time_left_s=None), 0.1)
    assert "3 runs to analyse" in text
    assert "nothing to simulate is left" in text
    assert "frames/" not in text
    assert "steps/s" not in text
    assert "not known yet" not in text


def test_rates_are_in_a_unit_that_makes_them_legible():
    assert rate_text(2.5, "frames") == "2.5 frames/s"
    assert rate_text(0.05, "frames") == "3.0 frames/min"
    assert rate_text(0.0001, "frames") == "0.4 frames/h"
    assert rate_text(0.0, "frames") == "0 frames/s"


def test_the_rate_of_frames_is_that_of_the_last_ten_minutes(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(page_data, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    feed = Feed(replace(SNAPSHOT, frames_done=0))
    for clock[0], done in ((100.0, 1000), (700.0, 1030), (760.0, 1060)):
        feed.show(replace(SNAPSHOT, frames_done=done))
    assert feed.frames_per_s == pytest.approx(30 / 60)


def test_json_has_what_status_json_has_and_the_rate(tmp_path):
    write_snapshot(tmp_path, SNAPSHOT)
    on_disk = json.loads((tmp_path / "status.json").read_bytes())
    assert json.loads(Feed(SNAPSHOT).as_json()) == {**on_disk, "frames_per_s": 0.0}
    assert read_snapshot(tmp_path) == SNAPSHOT


def test_a_page_is_made_of_no_more_models_than_it_shows(tmp_path):
    async def make():
        document, curves = Document(), Curves(tmp_path)
        View(document, Feed(SNAPSHOT), curves, Labels.of("lj"), (1.0, 100.0))
        curves.close()
        return list(document.models)

    made = asyncio.run(make())
    drawn = [one for one in made if isinstance(one, GlyphRenderer)]
    assert len([one for one in made if isinstance(one, Glyph)]) == len(drawn) > 6 * 3
    hovers = [one for one in made if isinstance(one, HoverTool)]
    assert sorted(len(one.renderers) for one in hovers) == [1, 6]


def test_pages_are_told_until_they_leave():
    told, feed = [], Feed(SNAPSHOT)

    def tell():
        told.append(1)

    feed.follow(tell)
    feed.show(SNAPSHOT)
    feed.unfollow(tell)
    feed.show(SNAPSHOT)
    assert len(told) == 1


def without_pages():
    """Give a scheduler whose dashboard takes no page, and a campaign."""
    creep, model = (
        SimpleNamespace(frame_interval=1, steps=2),
        SimpleNamespace(units="lj", timestep=1),
    )
    campaign = SimpleNamespace(name="small", creep=creep, model=model)
    prepared = SimpleNamespace(campaign=campaign, directory=None)
    return SimpleNamespace(jupyter=False, http_server=SimpleNamespace(port=1)), prepared


def test_collecting_garbage_when_a_page_is_closed_goes_through_nothing_that_was_there_before():
    there = [[number] for number in range(1000)]
    with campaign_page(*without_pages(), Feed(SNAPSHOT)):
        assert gc.get_freeze_count() > len(there)
        collected = [id(one) for one in gc.get_objects()]
        assert id(there) not in collected
    assert gc.get_freeze_count() == 0


def test_without_a_dashboard_that_takes_pages_the_campaign_goes_on_and_says_so_once(caplog):
    went_on = False
    with (
        caplog.at_level(logging.WARNING, "distributed.dashboard.glasscreep"),
        campaign_page(*without_pages(), Feed(SNAPSHOT)),
    ):
        went_on = True
    assert went_on
    assert [record.message for record in caplog.records] == [
        "the dashboard of this Dask takes no page of the campaign"
    ]
