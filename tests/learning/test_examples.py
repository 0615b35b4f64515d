"""Examples are drawn evenly, class by class, whatever the blocks; none is lost or counted twice."""

from dataclasses import replace
from functools import reduce
from operator import add

import numpy as np
import pytest
from damaging import flip

from glasscreep.analysis.drawing import priority
from glasscreep.tasks import examples
from glasscreep.tasks.errors import DamagedError
from glasscreep.tasks.examples import Draw, DrawTask, draw, run_key

INTERVAL, FRAMES = 20, 11
DRAWS = (
    Draw(INTERVAL, 0.02, loose=True, stream=0, most=10_000),
    Draw(INTERVAL, 0.02, loose=False, stream=0, most=50),
    Draw(INTERVAL, 0.01, loose=True, stream=1, most=7),
    Draw(INTERVAL, 0.01, loose=False, stream=1, most=7),
    Draw(60, 0.005, loose=True, stream=0, most=20),
)


def task_of(campaign, row=0, **changes):
    frames = {INTERVAL: FRAMES, 60: 9}
    return replace(
        DrawTask(str(campaign.directory), row, frames, species=1, seed=3, draws=DRAWS), **changes
    )


def all_examples(campaign, row, interval):
    """Every frame and particle of species A, with its D2min."""
    values = campaign.array(f"d2min_{interval}")[row]
    species = campaign.array("species")
    frame, particle = np.nonzero(~np.isnan(values) & (species == 1))
    return frame, particle, values[frame, particle]


def kept(one):
    return set(zip(one.run.tolist(), one.frame.tolist(), one.particle.tolist(), strict=True))


@pytest.mark.parametrize("at", range(len(DRAWS)))
def test_the_lowest_of_all_are_drawn(taught, at):
    wanted, found = DRAWS[at], draw(task_of(taught)).examples[at]
    frame, particle, values = all_examples(taught, 0, wanted.interval)
    own = (values > wanted.threshold) == wanted.loose
    key = run_key(taught.place(0).name)
    order = priority(examples._mixed(3, wanted.stream), key, frame[own], particle[own])
    lowest = np.argsort(order)[: wanted.most]
    expected = {(0, int(frame[own][i]), int(particle[own][i])) for i in lowest}
    assert kept(found) == expected
    for _, one, other, value in zip(
        found.run, found.frame, found.particle, found.value, strict=True
    ):
        assert taught.array(f"d2min_{wanted.interval}")[0, one, other] == value


def test_counts_are_of_all_examples(taught):
    found = draw(task_of(taught))
    _, _, values = all_examples(taught, 0, INTERVAL)
    for threshold in (0.01, 0.02):
        loose = int((values > threshold).sum())
        assert found.counts[INTERVAL, threshold] == (len(values) - loose, loose)
    assert found.largest[INTERVAL] == values.max()
    assert found.undefined == found.blank == {INTERVAL: 0, 60: 0}


def test_blocks_make_no_difference(taught, monkeypatch):
    whole = draw(task_of(taught))
    monkeypatch.setattr(examples, "READ_TOGETHER", 1)
    by_frame = draw(task_of(taught))
    assert [kept(one) for one in by_frame.examples] == [kept(one) for one in whole.examples]
    assert by_frame.counts == whole.counts


def test_undefined_values_are_no_examples(taught, monkeypatch):
    read = examples.FrameReader.sharded

    class WithHoles:
        def __init__(self, inner):
            self.inner = inner

        def read(self, row, start, stop):
            values = self.inner.read(row, start, stop)
            values[:, :5] = np.nan
            return values

    monkeypatch.setattr(
        examples.FrameReader, "sharded", lambda self, name: WithHoles(read(self, name))
    )
    found = draw(task_of(taught))
    species = taught.array("species")
    assert found.undefined[INTERVAL] == int((species[:5] == 1).sum()) * FRAMES
    assert found.blank == {INTERVAL: 0, 60: 0}
    assert all(particle >= 5 for one in found.examples for particle in one.particle)


def test_seeds_and_streams_draw_others(taught):
    first, again = draw(task_of(taught)), draw(task_of(taught, seed=4))
    assert kept(first.examples[1]) != kept(again.examples[1])
    assert kept(first.examples[0]) == kept(again.examples[0])  # all there are


def test_runs_are_put_together_in_any_order(taught):
    parts = [draw(task_of(taught, row)).examples[1] for row in range(8)]
    one, other = reduce(add, parts), reduce(add, parts[::-1])
    assert kept(one) == kept(other)
    assert len(one.run) == 50
    assert len(set(one.run.tolist())) == 8


def test_a_damaged_file_is_named(taught):
    copy = taught.copied("damaged")
    file = next((copy.directory / "store.zarr" / "d2min_20").glob("c.0.1.*"))
    flip(file, at=10)
    with pytest.raises(DamagedError, match=r"run \w+, frames 0 to \d+, array d2min_20"):
        draw(task_of(copy))


def test_a_lost_file_is_named(taught):
    copy = taught.copied("lost")
    for file in (copy.directory / "store.zarr" / "d2min_20").glob("c.0.1.*"):
        file.unlink()
    with pytest.raises(
        DamagedError, match=r"array d2min_20: frame 4 is not there; its file is lost"
    ):
        draw(task_of(copy))


def test_a_frame_that_is_defined_for_no_particle_is_not_lost(taught):
    copy = taught.copied("blank")
    copy.blank("d2min_20", 0, 4)
    found = draw(task_of(copy))
    assert found.blank == {INTERVAL: 1, 60: 0}
    assert found.undefined[INTERVAL] == int((taught.array("species") == 1).sum())
    assert all(frame != 4 for one in found.examples[:4] for frame in one.frame)
