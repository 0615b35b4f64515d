"""Frames of a campaign in ASE and MDAnalysis are those of the store."""

import pickle
from importlib import import_module

import numpy as np
import pytest

import glasscreep
from glasscreep.campaign.atoms import frame_atoms, universe
from glasscreep.campaign.problems import RefusedError
from glasscreep.tasks.errors import AbsentError
from glasscreep.tasks.reader import FrameReader


@pytest.mark.parametrize(("frame", "number"), [(0, 0), (7, 7), (-1, 11), (-12, 0)])
def test_atoms_are_those_of_the_frame(campaign, frame, number):
    atoms = frame_atoms(campaign.directory, 0, frame, ["d2min_20", "coordination"])
    unwrapped, box = campaign.truth(number)
    np.testing.assert_array_equal(atoms.cell.array, box)
    assert atoms.positions.dtype == np.float64
    whole = atoms.positions + atoms.arrays["image"] @ box
    np.testing.assert_allclose(whole, unwrapped, atol=1e-10)
    scaled = atoms.get_scaled_positions(wrap=False)
    assert ((scaled > -1e-12) & (scaled < 1 + 1e-12)).all()
    assert atoms.pbc.all()
    species = FrameReader(campaign.prepared.store).species
    np.testing.assert_array_equal(atoms.numbers, species)
    np.testing.assert_array_equal(atoms.arrays["name"], np.array(["A", "B"])[species - 1])
    np.testing.assert_array_equal(atoms.arrays["id"], np.arange(1, len(species) + 1))
    for name in ("d2min_20", "coordination"):
        np.testing.assert_array_equal(atoms.arrays[name], campaign.array(name)[0, number])
    assert atoms.get_masses().tolist() == [1.0] * len(species)
    assert atoms.info == {
        "campaign": "filled",
        "run": campaign.place(0).name,
        "temperature": 0.1,
        "applied_stress": 0.5,
        "replica": 0,
        "seed": atoms.info["seed"],
        "frame": number,
        "step": 20 * (number + 1),
        "time": pytest.approx(0.2 * (number + 1)),
        "units": "lj",
    }


# What ASE does while it copies atoms to write them, NumPy 2.5 is going to refuse.
@pytest.mark.filterwarnings("ignore:Setting the shape:DeprecationWarning")
def test_ase_writes_and_reads_them(leaning, tmp_path):
    atoms = frame_atoms(leaning.directory, 0, 5, ["d2min_20", "bond_order"])
    own = ["name", "id", "image", "d2min_20", "bond_order"]
    atoms.write(tmp_path / "frame.xyz", columns=["symbols", "positions", *own])
    back = import_module("ase.io").read(tmp_path / "frame.xyz")
    np.testing.assert_allclose(back.positions, atoms.positions, atol=1e-8)
    assert back.info["applied_stress"] == 0.5
    assert back.arrays["name"].tolist() == atoms.arrays["name"].tolist()
    for name in own[1:]:
        np.testing.assert_allclose(back.arrays[name], atoms.arrays[name], atol=1e-8)


def test_runs_are_named_by_id_its_beginning_or_row(straight):
    opened = glasscreep.open(straight.directory)
    run_id = straight.place(0).name
    for run in (run_id, run_id[:8], 0):
        assert opened.frame(run, 3, columns=["d2min_20"]).info["run"] == run_id
        assert "d2min_20" in opened.frame(run, 3, columns=["d2min_20"]).arrays
        assert "d2min_20" in opened.frame(run, 3, columns="d2min_20").arrays
        assert len(opened.to_mdanalysis(run).trajectory) == 12
    with pytest.raises(RefusedError, match="zz"):
        opened.frame("zz", 0)


@pytest.mark.parametrize(
    ("row", "frame", "columns", "said"),
    [
        (0, 12, (), "has no frame 12: 12 frames committed so far; choose from 0 to 11"),
        (0, -13, (), "has no frame -13"),
        (1, 4, (), "frame 4 of run .* is committed, but its positions are still in the journals"),
        (1, -5, (), "has no frame -5: 5 frames committed so far; choose from 0 to 3"),
        (3, 0, (), "has no frame 0: 0 frames committed so far"),
        (
            0,
            0,
            ["features"],
            "no result of particles 'features': it is not computed; there are bond_order",
        ),
        (1, 0, ["d2min_20"], "d2min_20 of frame 0 of run .* is not computed: 0 frames have it"),
    ],
)
def test_what_is_not_there_is_told(straight, row, frame, columns, said):
    with pytest.raises(AbsentError, match=said):
        frame_atoms(straight.directory, row, frame, columns)


def test_a_universe_reads_frames_as_it_comes_to_them(campaign):
    made = universe(campaign.directory, 0)
    assert len(made.trajectory) == 12
    assert made.trajectory.dt == pytest.approx(0.2)
    for order in (range(12), [7, 3, 11]):
        for number in order:
            step = made.trajectory[number]
            unwrapped, box = campaign.truth(number)
            np.testing.assert_allclose(step.triclinic_dimensions, box, atol=1e-5)
            moved = (made.atoms.positions - unwrapped) @ np.linalg.inv(box)
            np.testing.assert_allclose(moved, np.round(moved), atol=1e-5)
            assert step.time == pytest.approx(0.2 * (number + 1))
            assert step.data["step"] == 20 * (number + 1)
    assert [step.frame for step in made.trajectory] == list(range(12))
    assert [step.frame for step in made.trajectory[2:9:3]] == [2, 5, 8]
    assert made.select_atoms("type B").n_atoms == (made.atoms.types == "B").sum() == 40
    np.testing.assert_array_equal(made.atoms.ids, np.arange(1, 201))
    np.testing.assert_array_equal(made.atoms.masses, 1)


def test_universes_travel_to_other_processes(straight):
    made = universe(straight.directory, 0)
    made.trajectory[3]
    for other in (made.copy(), pickle.loads(pickle.dumps(made))):
        np.testing.assert_array_equal(other.atoms.positions, made.atoms.positions)
        assert other.trajectory[5].frame == 5
        assert made.trajectory.frame == 3


def test_a_run_that_goes_on_has_what_is_in_the_store(straight):
    assert len(universe(straight.directory, 1).trajectory) == 4
    with pytest.raises(AbsentError, match="no frame in the store yet, of 0 that are committed"):
        universe(straight.directory, 3)
