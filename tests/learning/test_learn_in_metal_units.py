"""Looseness of another potential than Lennard-Jones, in metal units: as of the same frames in smaller lengths."""

import io
from dataclasses import dataclass

import numpy as np
import pytest
from filled_campaign import FilledCampaign, Frames
from rich.console import Console

from glasscreep.analysis.interstice_presets import FEATURES
from glasscreep.campaign.directory import prepare
from glasscreep.campaign.file import load
from glasscreep.campaign.learn import learn
from glasscreep.campaign.lesson import lesson_of
from glasscreep.campaign.lesson_demands import LessonError
from glasscreep.campaign.lesson_report import lesson_tables
from glasscreep.campaign.sections import Campaign
from glasscreep.tasks.tables import Table

LENGTH = 2.5
"""Of the frames in angstrom, when that of the Lennard-Jones frames is 1."""
FILE = """
name = "metal"
replicas = 4
[model]
particles = 400
fraction_a = 0.8
density = 0.0768
units = "metal"
masses = [63.546, 91.224]
pair_style = "eam/fs"
pair_coeff = "* * CuZr_mm.eam.fs Cu Zr"
potential_files = "CuZr_mm.eam.fs"
cutoff = 6.0
timestep = 0.002
[glass]
melt_temperature = 2000
quench_temperature = 300
thermostat_damping = 0.1
[creep]
steps = 240
frame_interval = 20
checkpoint_interval = 10
thermostat_damping = 0.1
barostat_damping = 1.0
stress_tolerance = 0.1
force_tolerance = 1e-6
[[grid]]
temperature = [300, 600]
stress = 5000
[analysis]
d2min_cutoff = 6.25
d2min_intervals = [20, 60]
features.radii = [1.25, 0.75]
coordination.cutoff = { AA = 3.525, AB = 2.725, BB = 3.1 }
[learning]
threshold = 0.125
splits = 2
samples = 2
per_class = 60
tight = 600
features = 3
estimators = 2
[learning.study]
thresholds = [0.0625, 0.125]
per_class = 40
folds = 2
C = [0.1, 1.0]
"""


@dataclass(frozen=True)
class Stretched(Frames):
    """Frames with other lengths."""

    @classmethod
    def of_corner(cls, particles: int) -> "Stretched":
        plain = Frames.of_corner(particles)
        return cls(LENGTH * plain.position, LENGTH * plain.box)


class Coarse(Stretched):
    """Displacements that are drawn besides grow with the lengths."""

    def record(self, row, frame):
        plain = Frames(self.position / LENGTH, self.box / LENGTH).record(row, frame)
        edges, position = LENGTH * plain.box_edges, LENGTH * plain.position
        return type(plain)(
            **{
                **{name: getattr(plain, name) for name in plain.__slots__},
                "position": position,
                "box_edges": edges,
            }
        )


@pytest.fixture(scope="module")
def metal(tmp_path_factory):
    """Fill a campaign of a metal with the frames of `taught`, in angstrom. Not to be changed."""
    place = tmp_path_factory.mktemp("metal")
    (place / "metal.toml").write_text(FILE)
    frames = Coarse.of_corner(400)
    filled = FilledCampaign(prepare(load(place / "metal.toml"), place / "metal"), frames)
    for glass in range(4):
        filled.make_glass(glass)
    for row in range(8):
        filled.write(row, 12)
        filled.analyse(row)
    return filled


@pytest.fixture(scope="module")
def learnt(metal):
    lesson = lesson_of(metal.prepared.campaign, metal.directory)
    return learn(lesson, Console(file=io.StringIO()), 2).report


@pytest.mark.parametrize(
    "key",
    [
        "learning.threshold",
        "learning.study.thresholds",
        "analysis.features.radii",
        "analysis.coordination.cutoff",
    ],
)
def test_lengths_of_another_glass_are_not_taken_for_its_own(metal, key):
    asked = metal.prepared.campaign.model_dump(exclude_unset=True)
    section, *above, last = (asked, *key.split("."))
    for name in above:
        section = section[name]
    del section[last]
    other = Campaign.model_validate(asked, strict=False)
    with pytest.raises(LessonError, match=rf"to learn in metal units .* has to give {key}, whose"):
        lesson_of(other, metal.directory)


@pytest.mark.slow
def test_examples_and_features_are_those_of_the_frames_in_other_lengths(metal, learnt, taught):
    pool = Table(metal.directory / "looseness" / "pool.npz")
    in_lj = taught.array("d2min_20")
    loose = (in_lj > 0.02) & (taught.array("species") == 1)
    assert pool["loose"].sum() == np.count_nonzero(loose) == learnt["counts"]["pool"]["loose"]
    where = pool["run"], pool["frame"], pool["particle"]
    np.testing.assert_allclose(pool["d2min"], LENGTH**2 * in_lj[where], rtol=1e-6)
    powers = [{"D": 1, "A": 2, "V": 3}[name.rstrip(")]")[-1]] for name in FEATURES]
    scale = LENGTH ** np.array(powers, float)
    plain = features_of(taught, *where)
    np.testing.assert_allclose(pool["features main"] / scale, plain, rtol=1e-6, atol=1e-7)


def features_of(campaign, row, frame, particle):
    from glasscreep.analysis.interstices import interstice_features
    from glasscreep.tasks.reader import FrameReader

    reader, found = FrameReader(campaign.prepared.store), np.empty((len(row), len(FEATURES)))
    for at in np.unique(np.column_stack([row, frame]), axis=0):
        own = (row == at[0]) & (frame == at[1])
        box = reader.box_edges(at[0])[at[1]]
        values = interstice_features(reader.position(*at), box, reader.species, "wu2023")
        found[own] = values[particle[own]]
    return found


@pytest.mark.slow
def test_what_needs_lennard_jones_pairs_is_left_out_with_the_reason(metal, learnt):
    assert "local_energy" not in Table(metal.directory / "looseness" / "pool.npz")
    for name, scores in learnt["contenders"].items():
        assert all(("refused" in score) == (name == "local_energy") for score in scores)
    text = shown(learnt)
    assert "not fitted: this campaign has no local_energy" in text


@pytest.mark.slow
def test_tables_and_card_are_in_angstrom(metal, learnt):
    assert "threshold, angstrom^2" in shown(learnt)
    card = (metal.directory / "looseness" / "model.md").read_text()
    assert "D2min is above 0.125 angstrom^2 in 20 steps\nof 0.002 ps." in card
    assert "T 300 K at 5000 bar, T 600 K at 5000 bar" in card
    assert "angstrom |" in card.split("nearest AA |")[1].splitlines()[0] + " "
    assert "1 / angstrom^3 |" in card.split("number density |")[1].splitlines()[0]


def shown(report):
    console = Console(file=io.StringIO(), width=200)
    for table in lesson_tables(report):
        console.print(table)
    return console.file.getvalue()
