"""A flipped bit in any file of the store is found on reading, and named."""

import random
import re
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import small_campaign as small

from glasscreep.tasks.errors import DamagedError
from glasscreep.tasks.glasses import Glass, read_glass, write_glass
from glasscreep.tasks.journal import CommittedJournal
from glasscreep.tasks.manifest import read_manifest
from glasscreep.tasks.ranks import Ranks
from glasscreep.tasks.reader import FrameReader
from glasscreep.tasks.scratch import Scratch
from glasscreep.tasks.writer import FrameWriter

FRAMES = 6
FLIPS = 64


@pytest.fixture(scope="module")
def campaign(module_memory) -> Path:
    """Give a campaign with all frames of run 1 in the store, three of run 2 in the journal."""
    campaign = small.create(module_memory / "campaign", FRAMES, particles=40)
    small.write_run(campaign, 1, attempt=1, frames=FRAMES, particles=40)
    store, scratch = small.store_of(campaign), Scratch(campaign, 1)
    rng = np.random.default_rng(1)
    glass = Glass(rng.uniform(0, 3, (40, 3)), np.full(3, 3.0), -7.0, np.zeros(6))
    write_glass(store, 1, glass, scratch)
    scratch.remove()
    directory = small.directory_of(campaign, 2)
    with closing(FrameWriter(directory, store, 2, small.run_id(2), 1, FRAMES, Ranks())) as writer:
        for frame in range(3):
            writer.commit_frame(small.record(2, frame, 40), True)
    return campaign


@pytest.fixture(scope="module")
def reader(campaign) -> FrameReader:
    return FrameReader(small.store_of(campaign))


def read_journal(reader: FrameReader) -> None:
    directory = small.directory_of(reader.store.parent, 2)
    manifest = read_manifest(directory)
    assert manifest is not None
    (stamp,) = manifest.journals
    list(CommittedJournal(directory, stamp, manifest.id).frames())


SCALARS = ("box_edges", "potential_energy", "force_evaluations", "dynamic_stress")
COLUMNS = ("run_id", "temperature", "replica", "step", "species", "dim")
RUN = f"run {small.run_id(1)}, "
CASES: dict[str, tuple[str, Callable[[FrameReader], object], str]] = {
    "position": (
        "position/c.1.*",
        lambda reader: reader.block(1, 0, FRAMES),
        RUN + r"frame \d, array position is damaged",
    ),
    "image": (
        "image/c.1.*",
        lambda reader: reader.block(1, 0, FRAMES),
        RUN + r"frame \d, array image is damaged",
    ),
    **{
        name: (
            f"{name}/c.1.*",
            lambda reader, name=name: reader.scalar(name, 1),
            RUN + f"frames 0 to 5, array {name} is damaged",
        )
        for name in SCALARS
    },
    **{
        name: (
            f"{name}/c.*",
            lambda reader, name=name: reader.column(name),
            f"array {name} of .* is damaged",
        )
        for name in COLUMNS
    },
    "glass": (
        "glass_*/c.1*",
        lambda reader: read_glass(reader.store, 1),
        r"glass 1, array glass_\w+ of .* is damaged",
    ),
    "journal": (
        f"../runs/{small.run_id(2)}/journal-*",
        read_journal,
        rf"run {small.run_id(2)}, (frame \d in|scalars at the start of) journal-1-2-0.bin is damaged",
    ),
}


@pytest.mark.parametrize("kind", CASES)
def test_any_flipped_bit_is_found_and_named(campaign, reader, kind):
    pattern, read, message = CASES[kind]
    folder, name = pattern.rsplit("/", 1)
    paths = sorted(
        path for place in small.store_of(campaign).glob(folder) for path in place.glob(name)
    )
    assert paths
    read(reader)
    rng = random.Random(kind)
    for _ in range(FLIPS):
        path = rng.choice(paths)
        sound = path.read_bytes()
        bit = rng.randrange(8 * len(sound))
        damaged = bytearray(sound)
        damaged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(damaged)
        try:
            with pytest.raises(DamagedError) as caught:
                read(reader)
        finally:
            path.write_bytes(sound)
        said = str(caught.value)
        assert re.search(message, said), f"bit {bit} of {path}: {said}"
        assert path.name in said
        assert "Stored: b" not in said
        assert kind == "journal" or "Bring that file back from a copy of the directory" in said


def test_the_damaged_frame_of_a_block_is_named(campaign, reader):
    """Flip bits of each frame in turn: the rest of the shard still reads."""
    whole = reader.block(1, 0, FRAMES)
    (path,) = small.store_of(campaign).glob("position/c.1.1.*")  # frames 2 and 3
    sound = path.read_bytes()
    named = set()
    for byte in range(0, len(sound) - 36, 200):  # the index takes 2 * 16 bytes and a checksum
        damaged = bytearray(sound)
        damaged[byte] ^= 8
        path.write_bytes(damaged)
        with pytest.raises(DamagedError) as caught:
            reader.block(1, 0, FRAMES)
        (frame,) = re.findall(r"frame (\d), array position", str(caught.value))
        named.add(frame)
        other = {"2": 3, "3": 2}[frame]
        np.testing.assert_array_equal(reader.position(1, other), whole.position[other])
    path.write_bytes(sound)
    assert named == {"2", "3"}


@pytest.mark.parametrize("name", ["position", "image", "potential_energy", "box_edges"])
def test_a_lost_file_is_named(campaign, reader, name):
    path = next(small.store_of(campaign).glob(f"{name}/c.1.0*"))
    sound = path.read_bytes()
    for left in (None, b""):
        path.unlink()
        if left is not None:
            path.write_bytes(left)
        with pytest.raises(DamagedError, match=rf"run {small.run_id(1)}, frames? 0.*array {name}"):
            reader.block(1, 0, FRAMES) if name in ("position", "image") else reader.scalar(name, 1)
        path.write_bytes(sound)


def test_a_glass_that_is_not_made_is_named(campaign):
    with pytest.raises(DamagedError, match=r"glass 0, array glass_position .* is not there"):
        read_glass(small.store_of(campaign), 0)
