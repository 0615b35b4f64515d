"""What every writer of frames keeps, whoever reads the file."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from glasscreep.analysis.displacement import minimum_image
from glasscreep.tasks.errors import StorageError
from glasscreep.tasks.frame_files import FORMATS, writing_frames
from glasscreep.tasks.written_frame import Column, Contents, WrittenFrame

COLUMNS = (
    Column("d2min_20", "length^2", 'double: "mean" over neighbours'),
    Column("local_shear_20", "1", "single"),
    Column("coordination", "1", "whole numbers, two", ("A", "B")),
    Column("bond_order", "1", "single, two", ("4", "6")),
)
ABOUT = {
    "campaign": "a name",
    "run": "0e1e",
    "temperature": 0.1,
    "applied_stress": 0.5,
    "replica": 3,
}


def made_frame(seed: int, leans: bool, n: int, step: int) -> WrittenFrame:
    """Make a frame in a box as a campaign has it, positions in multiples of 2^-34."""
    rng = np.random.default_rng([seed, step])
    box = np.diag(rng.uniform(3, 30, 3))
    if leans:
        box[[1, 2, 2], [0, 0, 1]] = rng.uniform(-0.45, 0.45, 3) * np.diag(box)[[0, 0, 1]]
    positions = np.floor(rng.random((n, 3)) @ box * 2**34) / 2**34
    ids = np.random.default_rng(seed).permutation(np.arange(1, n + 1))
    shear = rng.random(n).astype(np.float32)
    return WrittenFrame(
        step=step,
        positions=positions,
        box=box,
        species=np.arange(n) % 2 + 1,
        ids=np.sort(ids),
        values={
            "d2min_20": np.where(rng.random(n) < 0.9, rng.random(n) ** 9, np.nan),
            "local_shear_20": shear,
            "coordination": rng.integers(-1, 30, (n, 2)).astype(np.int16),
            "bond_order": rng.random((n, 2)).astype(np.float32),
        },
        image=rng.integers(-3, 4, (n, 3)),
        time=step / 100,
    )


class WriterContract:
    """Tests that each writer inherits, once for each program that reads its files.

    `form` and `ending` say what is written, `read` who reads it, `has` what that program tells,
    `atol` and `box_atol` how far positions and box may be off, `leaning` which boxes it reads.
    """

    form: str
    ending: str
    read: Callable[[Path], Any]
    has: set[str]
    atol = 0.0
    box_atol = 0.0
    leaning = (False, True)

    @property
    def holds(self):
        return FORMATS[self.form]

    def contents(self, **more):
        columns = COLUMNS if self.holds.has_columns else ()
        return Contents("lj", columns, ABOUT, (1.0, 2.5), **more)

    def frames(self, seed, leans, n):
        count = 3 if self.holds.has_many_frames else 1
        return [made_frame(seed, leans, n, step) for step in (20, 40, 1000)[:count]]

    def written(self, folder, frames, **more):
        path = Path(folder) / f"out{self.ending}"
        with writing_frames(path, self.holds, self.contents(**more)) as write:
            for frame in frames:
                write(frame)
        return path

    def demand_same(self, seen, frame):
        assert seen.has == self.has
        assert seen.step in (frame.step, -1)
        np.testing.assert_allclose(seen.box, frame.box, rtol=0, atol=self.box_atol)
        np.testing.assert_allclose(self.moved(seen, frame), 0, atol=self.atol)
        for name in self.has & {"ids", "species", "time"}:
            np.testing.assert_array_equal(getattr(seen, name), getattr(frame, name))
        if "names" in self.has:
            assert seen.names == ("A", "B")
        if "image" in self.has:
            shifts = (seen.image - frame.image) @ frame.box
            whole = seen.positions + shifts - self.shift(frame)
            np.testing.assert_allclose(whole, frame.positions, atol=self.atol)
        if "values" in self.has:
            self.demand_values(seen.values, frame.values)

    def shift(self, frame):
        """Say where the corner of the box is in the file."""
        return 0.0

    def moved(self, seen, frame):
        """Give how far particles are from where they were, any image of them."""
        moved = seen.positions - self.shift(frame) - frame.positions
        return moved if self.atol == 0 else minimum_image(moved, frame.box)

    def demand_values(self, seen, values):
        assert set(seen) == set(values)
        for name, known in values.items():
            # Text has no type: as it was, once it has that of the store again.
            np.testing.assert_array_equal(seen[name].astype(known.dtype), known, err_msg=name)

    # Each heir runs it for itself: nothing is shared between them.
    @settings(max_examples=10, suppress_health_check=[HealthCheck.differing_executors])
    @given(seed=st.integers(0, 2**32 - 1), n=st.integers(2, 30), data=st.data())
    def test_every_frame_comes_back_as_it_was(self, seed, n, data):
        frames = self.frames(seed, data.draw(st.sampled_from(self.leaning)), n)
        with tempfile.TemporaryDirectory() as folder:
            seen = self.read(self.written(folder, frames))
        assert len(seen) == len(frames)
        for one, frame in zip(seen, frames, strict=True):
            self.demand_same(one, frame)


class KeepsFilesWhole:
    """What a writer leaves behind, whoever would read it."""

    form: str
    ending: str

    @pytest.fixture
    def path(self, tmp_path):
        return tmp_path / f"out{self.ending}"

    def write(self, path, frames=1, then=None):
        form = FORMATS[self.form]
        contents = Contents("lj", COLUMNS if form.has_columns else (), ABOUT, (1.0, 2.5))
        with writing_frames(path, form, contents) as write:
            for step in range(frames):
                write(made_frame(1, True, 500, step))
            if then is not None:
                raise then

    def test_what_is_there_stays_until_the_new_is_whole(self, path):
        path.write_text("old")
        with pytest.raises(KeyboardInterrupt):
            self.write(path, then=KeyboardInterrupt())
        assert path.read_text() == "old"
        assert [found.name for found in path.parent.iterdir()] == [path.name]
        self.write(path)
        assert path.read_bytes() != b"old"
        assert [found.name for found in path.parent.iterdir()] == [path.name]

    def test_nothing_else_is_touched(self, path):
        other = path.with_name(f"{path.name}.partial")
        other.mkdir()
        (other / "mine").write_text("mine")
        self.write(path)
        assert sorted(found.name for found in path.parent.iterdir()) == [path.name, other.name]
        assert (other / "mine").read_text() == "mine"

    def test_an_error_of_what_is_read_meanwhile_is_told_as_it_is(self, path):
        with pytest.raises(OSError, match="of the caller"):
            self.write(path, then=OSError(5, "of the caller"))
        assert not list(path.parent.iterdir())

    def test_a_full_disk_is_told_and_leaves_nothing(self, small_disk):
        path = small_disk / f"out{self.ending}"
        frames = 1 if not FORMATS[self.form].has_many_frames else 100
        with (small_disk / "filler").open("wb") as file:
            file.write(bytes(2**20 - 2**14))
        with pytest.raises(StorageError, match=f"could not write .*{path.name}"):
            self.write(path, frames)
        assert [found.name for found in small_disk.iterdir()] == ["filler"]
