"""A trajectory that can't be read, or lacks what is needed, is refused with its frame and what to do."""

import gzip
from importlib import import_module

import numpy as np
import pytest
from small_model import real_frame
from written_trajectories import ELEMENTS, KINDS, dump_text, written_by_mdanalysis

from glasscreep.tasks import libraries as needed
from glasscreep.tasks.errors import TrajectoryError
from glasscreep.tasks.trajectories import read_frames

pytestmark = pytest.mark.usefixtures("libraries")

SMALL = dump_text(np.random.default_rng(0).random((20, 3)) * 5, [5.0, 5, 5], np.arange(20) % 2 + 1)


def test_flat_gsd_is_refused(tmp_path):
    hoomd = import_module("gsd.hoomd")
    written = hoomd.Frame()
    written.configuration.dimensions = 2
    written.configuration.box = [5, 5, 0, 0, 0, 0]
    with hoomd.open(tmp_path / "flat.gsd", "w") as file:
        file.append(written)
    with pytest.raises(TrajectoryError, match=r"flat\.gsd, frame 0 .* two dimensions"):
        list(read_frames(tmp_path / "flat.gsd", KINDS))


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
def test_mdanalysis_without_types_or_box_is_refused(tmp_path):
    mda = import_module("MDAnalysis")
    trajectory, _ = written_by_mdanalysis(tmp_path, real_frame())
    with pytest.raises(TrajectoryError, match=r"frame\.dcd, frame 0 can't be read"):
        list(read_frames(trajectory, KINDS))
    universe = mda.Universe.empty(3, trajectory=True)
    universe.add_TopologyAttr("name", ["A", "A", "B"])
    universe.atoms.write(str(tmp_path / "bare.gro"))
    with pytest.raises(TrajectoryError, match=r"bare\.gro, frame 0: .*not periodic"):
        list(read_frames(tmp_path / "bare.gro", KINDS))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("pp pp pp", "pp ff pp", "the box is not periodic along its second edge, and"),
        ("pp pp pp", "pp pp fs", "the box is not periodic along its third edge, and"),
        ("id type", "id species", "columns id species x y z, and needed are"),
        ("x y z", "vx vy vz", "needed are"),
        ("ITEM: ATOMS id", "ITEM: ATOMS", "needed are"),
        ("\n20 2 ", "\n20 3 ", "it has the types 1, 2, 3, and which species 3 is was not said"),
        ("\n20 2 ", "\n19 2 ", "several with the same id"),
        ("\n20 2 ", "\n20 2 nan ", "positions must be finite"),
        ("\n20 2 ", "\n20 2 what ", "can't be read: could not convert"),
        ("ITEM: NUMBER OF ATOMS\n20\n", "", "a frame lacks NUMBER OF ATOMS"),
        (SMALL[-60:], "\n", "invalid column index"),
        (SMALL[-20:], "", "ends before all of them"),
        ("ITEM: NUMBER OF ATOMS\n20\n", "ITEM: NUMBER OF ATOMS\n0\n", "ends before all of them"),
        (SMALL[SMALL.index("\n20 ") :], "\n", "ends before all of them"),
        (SMALL[SMALL.index("ITEM: BOX") :], "", "ends within a frame; is it still being written"),
        ("5.0000000000000000e+00", "0", "edge lengths above 0|span a volume"),
    ],
)
def test_bad_dumps_are_refused(tmp_path, old, new, said):
    path = tmp_path / "bad.dump"
    assert old in SMALL
    path.write_text(SMALL.replace(old, new))
    with pytest.raises(TrajectoryError, match=said) as caught:
        list(read_frames(path, KINDS))
    assert f"{path}, frame 0" in str(caught.value)


def test_errors_name_the_frame(tmp_path):
    path = tmp_path / "second.dump"
    path.write_text(SMALL + SMALL.replace("pp pp pp", "ss pp pp"))
    frames = read_frames(path, KINDS)
    assert next(frames).step == 40
    with pytest.raises(TrajectoryError, match=r"second\.dump, frame 1: "):
        next(frames)


def test_more_particles_than_announced_are_refused(tmp_path):
    path = tmp_path / "more.dump"
    path.write_text(SMALL.replace("ATOMS\n20\n", "ATOMS\n19\n"))
    with pytest.raises(TrajectoryError, match="frame 1 can't be read: expected a line that starts"):
        list(read_frames(path, KINDS))


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("empty.xyz", b"", "is empty. If it is still being written, wait"),
        ("empty.dump", b"", "is empty"),
        ("empty.xtc", b"", "is empty"),
        ("empty.dump.gz", gzip.compress(b"", mtime=0), "knows no files that end in .gz"),
        ("cut.dump.gz", gzip.compress(SMALL.encode())[:-30], "can't be read"),
        ("cut.xyz", b"5\n", "can't be read: it ends within a frame"),
        ("cut.dump", b"ITEM: TIM", "it ends within a frame; is it still being written"),
        ("cut.xtc", b"abc", "it is cut off, or is not what its ending says"),
        ("other.gz", b"hello", "can't be read: Not a gzipped file"),
        (
            "other.dump",
            b"hello",
            "it is no text dump of LAMMPS, .* knows no files that end in .dump",
        ),
        ("other", b"hello", "knows no files that end in nothing"),
        ("bad.xyz", b"3\n\nH 0 0 0\n", "can't be read|not periodic"),
        ("bad.gsd", b"hello", "can't be read: Not a GSD file"),
        ("bad.xtc", b"\0\1hello", "can't be read"),
    ],
)
def test_files_that_are_nothing_are_refused(tmp_path, name, content, said):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(TrajectoryError, match=said) as caught:
        list(read_frames(path, KINDS))
    assert str(path) in str(caught.value)


def test_files_that_are_not_there_are_refused(tmp_path):
    (tmp_path / "whole.dump").write_text(SMALL)
    for name in ("gone.dump", "gone.xyz", "gone.gsd", "gone.xtc"):
        with pytest.raises(TrajectoryError, match=f"there is no file .*{name}"):
            list(read_frames(tmp_path / name, KINDS))
    with pytest.raises(TrajectoryError, match=r"there is no file .*gone\.data"):
        list(read_frames(tmp_path / "whole.dump", KINDS, topology=tmp_path / "gone.data"))
    with pytest.raises(TrajectoryError, match=r"is a folder\. Give the files in it"):
        list(read_frames(tmp_path, KINDS))


def test_extended_xyz_without_periodic_box_or_species_is_refused(tmp_path):
    path = tmp_path / "open.xyz"
    path.write_text('1\npbc="T T F" Lattice="3 0 0 0 3 0 0 0 3"\nNi 0 0 0\n')
    with pytest.raises(TrajectoryError, match="not periodic"):
        list(read_frames(path, ELEMENTS))
    path.write_text('1\nLattice="3 0 0 0 3 0 0 0 3" Properties=pos:R:3\n0 0 0\n')
    with pytest.raises(TrajectoryError, match="no species, type or Z"):
        list(read_frames(path, ELEMENTS))


@pytest.mark.parametrize("name", ["a.xyz", "a.gsd", "a.xtc"])
def test_says_what_to_install(tmp_path, monkeypatch, name):
    def missing(module):
        raise ImportError(module)

    (tmp_path / name).write_bytes(b"\0")
    monkeypatch.setattr(needed, "import_module", missing)
    with pytest.raises(TrajectoryError, match=r"pip install 'glasscreep\[trajectories\]'"):
        list(read_frames(tmp_path / name, KINDS))
