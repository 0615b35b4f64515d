"""The examples do what they say, at small size."""

import importlib
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import glasscreep as package
from glasscreep.tasks.reader import FrameReader

pytestmark = pytest.mark.slow

EXAMPLES = Path(__file__).parents[2] / "examples"
SMALLER = {
    "metallic_glass": {
        "particles = 1000": "particles = 500",
        "melt_steps = 2000": "melt_steps = 200\ncheckpoint_interval = 200",
        "quench_steps = 4000": "quench_steps = 400",
        "steps = 10_000": "steps = 600\ncheckpoint_interval = 100",
        "frame_interval = 2000": "frame_interval = 200",
    },
    "stepwise": {
        "replicas = 1": "replicas = 4",
        "particles = 1000": "particles = 400",
        "melt_steps = 5000": "melt_steps = 500\ncheckpoint_interval = 500",
        "quench_steps = 10_000": "quench_steps = 1000",
        "steps = 20_000": "steps = 1600\ncheckpoint_interval = 200",
        "frame_interval = 1000": "frame_interval = 200",
        "barostat_damping = 2.0": "barostat_damping = 0.5",
    },
    "own_analysis": {
        "particles = 1000": "particles = 400",
        "melt_steps = 5000": "melt_steps = 500\ncheckpoint_interval = 500",
        "quench_steps = 10_000": "quench_steps = 1000",
        "steps = 20_000": "steps = 600\ncheckpoint_interval = 100",
        "frame_interval = 1000": "frame_interval = 100",
        "barostat_damping = 2.0": "barostat_damping = 0.5",
    },
}

PINNED = 'accelerator = "off"\nneighbor_skin = 0.3\n'  # what is measured differs from day to day


@pytest.fixture
def ran(glasscreep):
    """Run an example, smaller, and give its arrays."""

    def run(name):
        text = (EXAMPLES / f"{name}.toml").read_text()
        for said, smaller in SMALLER[name].items():
            assert text.count(f"\n{said}") == 1, said
            text = text.replace(f"\n{said}", f"\n{smaller}")
        path = glasscreep.folder / f"{name}.toml"
        path.write_text(f"{text}\n[resources]\nslots = 2\n{PINNED}")
        done = glasscreep("run", path)
        assert done.returncode == 0, done.stdout + done.stderr
        return package.open(glasscreep.folder / name).dataset

    return run


def test_a_metallic_glass_yields_more_to_more_stress(ran):
    dataset = ran("metallic_glass")
    strain = dict(zip(dataset.stress.values, dataset.strain.values[:, -1], strict=True))
    assert strain[20_000] > strain[5000] + 0.02
    assert dataset.stress.attrs["units"] == "bar"
    assert float(dataset.stress_residual.max()) <= 0.1
    assert np.isfinite(dataset.d2min_200.values[:, :-1]).all()


def test_a_load_taken_off_gives_the_strain_back(ran, glasscreep):
    source = (EXAMPLES / "stepwise.py").read_text()
    shorter = source.replace("UNLOADED_FROM = 10_000", "UNLOADED_FROM = 800")
    assert shorter != source
    (glasscreep.folder / "stepwise.py").write_text(shorter)
    strain = ran("stepwise").strain.values
    given_back = strain[:, 3] - strain[:, 4]
    assert given_back.min() > 0.005  # some 15 of shear modulus, 0.3 of stress
    # One glass of 400 particles may creep by 0.01 without a load.
    assert abs((strain[:, 7] - strain[:, 4]).mean()) < 0.5 * given_back.mean()


def test_an_own_analysis_is_its_function_on_every_frame(ran, glasscreep, monkeypatch):
    shutil.copy(EXAMPLES / "own_analysis.py", glasscreep.folder)
    dataset = ran("own_analysis")
    monkeypatch.syspath_prepend(EXAMPLES)
    one_sidedness = importlib.import_module("own_analysis").one_sidedness
    reader = FrameReader(glasscreep.folder / "own_analysis" / "store.zarr")
    stored = dataset.one_sidedness.values
    assert stored.shape == (2, 6, 400)
    for row, frame in np.ndindex(2, 6):
        box = np.diag(reader.box_edges(row)[frame])
        view = SimpleNamespace(positions=reader.position(row, frame), box=box)
        np.testing.assert_array_equal(stored[row, frame], one_sidedness(view, cutoff=1.5))
    assert 0.05 < np.nanmean(stored) < 0.3
    done = glasscreep("query", "own_analysis", "one_sidedness", "--format", "csv")
    assert done.stdout.count("\n") == 13
