"""A writer takes whole frames in their order, and refuses what it can't store."""

from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest
import small_campaign as small

from glasscreep.tasks.errors import DivergedError
from glasscreep.tasks.ranks import Ranks
from glasscreep.tasks.reader import FrameReader
from glasscreep.tasks.writer import FrameWriter

FRAMES = 5


@pytest.fixture
def campaign(memory):
    return small.create(memory / "campaign", FRAMES)


def open_writer(campaign, attempt=1, row=1, frames=FRAMES):
    directory, store = small.directory_of(campaign, row), small.store_of(campaign)
    return closing(FrameWriter(directory, store, row, small.run_id(row), attempt, frames, Ranks()))


def test_a_frame_shows_its_scalars_at_once_and_its_positions_with_the_shard(campaign):
    reader = FrameReader(small.store_of(campaign))
    with open_writer(campaign) as writer:
        for frame in range(FRAMES):
            record = small.record(1, frame)
            writer.commit_frame(record, True)
            assert reader.manifest(1).frames == frame + 1
            assert reader.scalar("potential_energy", 1)[frame] == record.potential_energy
            np.testing.assert_array_equal(reader.box_edges(1)[frame], record.box_edges)
            assert reader.manifest(1).flushed == (frame + 1) // 2 * 2
        with pytest.raises(IndexError, match=r"frames 4 to 4 of run .*: 4 are, 5 are committed"):
            reader.position(1, 4)
        writer.finish()
        assert reader.position(1, 4).shape == (small.PARTICLES, 3)
        assert reader.manifest(1).done
    block = reader.block(1, 1, 5)
    assert block.position.shape == (4, small.PARTICLES, 3)
    np.testing.assert_array_equal(block.position[2], reader.position(1, 3))
    np.testing.assert_array_equal(block.image[2], reader.image(1, 3))
    np.testing.assert_array_equal(block.lattice, reader.lattice(1)[1:5])


def test_finish_before_the_last_frame_leaves_the_shard_open(campaign):
    with open_writer(campaign) as writer:
        writer.commit_frame(small.record(1, 0), True)
        writer.finish()
        assert writer.checkpoints.manifest.flushed == 0
        assert not writer.checkpoints.manifest.done


def test_a_shard_that_was_flushed_early_is_gone_on_with(campaign, memory):
    whole = small.create(memory / "whole", FRAMES)
    small.write_run(whole, 1, attempt=1, frames=FRAMES)
    for attempt, until in ((1, 1), (2, 3), (3, FRAMES)):
        with open_writer(campaign, attempt) as writer:
            for frame in range(writer.checkpoints.manifest.frames, until):
                writer.commit_frame(small.record(1, frame), True)
            writer.flush()
            writer.flush()
            assert writer.checkpoints.manifest.flushed == until
            assert not writer.checkpoints.manifest.done
            position = FrameReader(small.store_of(campaign)).position(1, until - 1)
            assert position.shape == (small.PARTICLES, 3)
    assert small.arrays_of(campaign) == small.arrays_of(whole)


def test_unrelaxed_frames_are_kept(campaign):
    with open_writer(campaign) as writer:
        for frame in range(3):
            writer.commit_frame(small.record(1, frame), frame != 1)
    with open_writer(campaign, attempt=2) as writer:
        assert writer.checkpoints.manifest.unrelaxed == (1,)


def test_frames_come_in_their_order(campaign):
    with open_writer(campaign) as writer:
        writer.commit_frame(small.record(1, 0), True)
        for wrong in (0, 2):
            with pytest.raises(ValueError, match=f"got frame {wrong}; next is 1 of 5"):
                writer.commit_frame(small.record(1, wrong), True)


def test_no_more_frames_than_wanted(campaign):
    with open_writer(campaign, frames=1) as writer:
        writer.commit_frame(small.record(1, 0), True)
        with pytest.raises(ValueError, match="got frame 1; next is 1 of 1"):
            writer.commit_frame(small.record(1, 1), True)


def test_a_store_without_room_is_refused(campaign):
    with pytest.raises(ValueError, match="room for 5 frames a run, not 6"):
        open_writer(campaign, frames=6)
    assert not list(small.directory_of(campaign, 1).glob("attempt-*"))


def test_the_row_of_another_run_is_refused(campaign):
    directory, store = small.directory_of(campaign, 1), small.store_of(campaign)
    with pytest.raises(ValueError, match=r"row 2 of .* is that of run '0000000000000002'"):
        FrameWriter(directory, store, 2, small.run_id(1), 1, FRAMES, Ranks())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"potential_energy": float("nan")}, "potential_energy of frame 0 is nan"),
        ({"dynamic_stress": np.array([0, np.inf, 0, 0, 0, 0])}, "dynamic_stress of frame 0"),
        ({"position": np.full((small.PARTICLES, 3), np.nan)}, "not finite"),
    ],
)
def test_a_frame_that_is_not_finite_is_refused(campaign, change, message):
    with open_writer(campaign) as writer:
        with pytest.raises(DivergedError, match=message):
            writer.commit_frame(replace(small.record(1, 0), **change), True)
        assert writer.checkpoints.manifest.frames == 0


def test_a_frame_of_another_size_is_refused(campaign):
    with open_writer(campaign) as writer, pytest.raises(ValueError, match=r"shape \(7, 3\)"):
        writer.commit_frame(small.record(1, 0, particles=7), True)


def test_blocks_of_particles_have_files_of_their_own(memory):
    """As a million particles have, whose frame is too large for one chunk."""
    campaign = small.create(memory / "campaign", FRAMES, particles=8, slab=3)
    for frames in (3, FRAMES):
        small.write_run(campaign, 1, attempt=frames, frames=frames, particles=8)
    reader = FrameReader(small.store_of(campaign))
    for frame in range(FRAMES):
        record = small.record(1, frame, particles=8)
        unwrapped = reader.position(1, frame) + reader.image(1, frame) * record.box_edges
        expected = record.position + record.image * record.box_edges
        np.testing.assert_allclose(unwrapped, expected, rtol=0, atol=1e-9)
    for name, files in (("position", 9), ("image", 6)):
        assert len(list(small.store_of(campaign).glob(f"{name}/c.1.*"))) == files
