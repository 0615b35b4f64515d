"""Shards written here read with Zarr, and the other way round; what is not written stays."""

import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from glasscreep.tasks import layout, result_arrays
from glasscreep.tasks.files import write_durably
from glasscreep.tasks.layout import StoreShape
from glasscreep.tasks.result_arrays import of_particles
from glasscreep.tasks.shards import ShardedFrames
from glasscreep.tasks.store import create_store

FRAMES, PARTICLES = 7, 5
KINDS = {
    "double": {"dtype": "<f8", "compression": "lz4"},
    "packed": {"dtype": "<f8", "compression": "zstd"},
    "plain": {"dtype": "<f4", "compression": None},
    "count": {"dtype": "<i2"},
    "several": {"dtype": "<f4", "feature": 3},
}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Make a store with files of two frames and chunks of two particles."""
    path = tmp_path_factory.mktemp("shards") / "store.zarr"
    step = np.arange(FRAMES)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(result_arrays, "FILE_FRAMES", 2)
        patch.setattr(result_arrays, "PARTICLE_CHUNK", 2)
        patch.setattr(layout, "POSITION_SHARD_FRAMES", 2)
        specs = [
            of_particles(name, PARTICLES, "1", "values", "of a test", **kind)
            for name, kind in KINDS.items()
        ]
        species = np.ones(PARTICLES, np.uint8)
        create_store(path, StoreShape(50, FRAMES, PARTICLES, 1), {}, species, step, step, specs)
    return path


def values_like(array, frames, seed):
    values = np.random.default_rng(seed).normal(scale=100, size=(frames, *array.shape[2:]))
    return values.astype(array.dtype)


@pytest.mark.parametrize("name", KINDS)
def test_zarr_reads_what_was_written_and_it_reads_what_zarr_wrote(store, name):
    array = zarr.open_group(store, mode="r+")[name]
    values = values_like(array, FRAMES, 1)
    ours = ShardedFrames(store, array)
    ours.write(0, 0, values, write_durably, known=0)
    assert_array_equal(array[0], values, strict=True)
    array[1] = values
    assert_array_equal(ours.read(1, 0, FRAMES), values, strict=True)
    assert_array_equal(ours.read(1, 3, 6), values[3:6])
    assert_array_equal(ours.read(2, 0, 2), np.full((2, *array.shape[2:]), array.fill_value))


@settings(max_examples=25)
@given(start=st.integers(0, FRAMES - 1), length=st.integers(1, FRAMES), seed=st.integers(0, 99))
def test_a_part_replaced_leaves_the_rest(store, start, length, seed):
    array = zarr.open_group(store, mode="r+")["several"]
    ours = ShardedFrames(store, array)
    whole = values_like(array, FRAMES, seed)
    array[5] = whole
    part = values_like(array, min(length, FRAMES - start), seed + 1)
    ours.write(5, start, part, write_durably, known=FRAMES)
    whole[start : start + len(part)] = part
    assert_array_equal(array[5], whole)


@pytest.mark.parametrize("name", KINDS)
def test_checksums_tell_what_is_stored(store, name):
    array = zarr.open_group(store, mode="r+")[name]
    values = values_like(array, FRAMES, 5)
    ours = ShardedFrames(store, array)
    assert ours.checksums(20, 0, FRAMES) == []
    for row in (20, 21):
        ours.write(row, 0, values, write_durably, known=0)
    known = ours.checksums(20, 0, FRAMES)
    assert len(set(known)) == len(known) == 3 * FRAMES
    assert ours.checksums(21, 0, FRAMES) == known
    assert len(ours.checksums(20, 1, 4)) == len(known) * 3 // FRAMES
    ours.write(21, 3, values_like(array, 1, 6), write_durably, known=FRAMES)
    assert ours.checksums(21, 0, 3) == ours.checksums(20, 0, 3)
    assert ours.checksums(21, 3, 4) != ours.checksums(20, 3, 4)


def test_what_counts_for_nothing_is_not_read(store):
    array = zarr.open_group(store, mode="r+")["double"]
    ours, values = ShardedFrames(store, array), values_like(array, 1, 3)
    for path in ("c.7.1.0", "c.7.1.1", "c.7.1.2"):
        (store / "double" / path).write_bytes(b"damaged")
    with pytest.raises(ValueError, match="too short for the index"):
        ours.write(7, 2, values, write_durably, known=3)
    ours.write(7, 2, values, write_durably, known=2)
    assert_array_equal(array[7, 2], values[0])
    assert np.isnan(array[7, 3]).all()


@settings(max_examples=60)
@given(st.data())
def test_any_flipped_bit_is_found(store, data):
    array = zarr.open_group(store, mode="r+")["plain"]
    ours = ShardedFrames(store, array)
    ours.write(9, 0, values_like(array, 2, 4), write_durably, known=0)
    path = store / "plain" / "c.9.0.1"
    content = bytearray(path.read_bytes())
    content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"c\.9\.0\.1"):
        ours.read(9, 0, 2)
