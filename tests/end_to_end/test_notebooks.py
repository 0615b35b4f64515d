"""The notebooks run from their first cell to the last, at small size."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
DEADLINE_S = 480
SMALLER = {
    "tour.py": {
        "particles = 1000": "particles = 400",
        "melt_steps = 2000": "melt_steps = 200\ncheckpoint_interval = 200",
        "quench_steps = 5000": "quench_steps = 400",
        "steps = 10_000": "steps = 1000\ncheckpoint_interval = 100",
        "frame_interval = 1000": "frame_interval = 200",
    },
    "learning.toml": {
        "particles = 1000": "particles = 500",
        "steps = 40_000": "steps = 16_000",
        "d2min_intervals = [2000, 10_000]": "d2min_intervals = [2000, 4000]",
        "quench_steps = 10_000": "quench_steps = 5000",
        "splits = 4": "splits = 2",
    },
}
MADE = {
    "tour.py": ["tour/store.zarr/zarr.json", "tour.png"],
    "structure.py": ["rdf.png", "d2min.png"],
    "looseness.py": ["learning/looseness/model.skops", "looseness.png"],
}


@pytest.fixture
def examples(tmp_path):
    """Make a folder like `examples`, with smaller campaigns in it."""
    (tmp_path / "tests").symlink_to(ROOT / "tests")
    folder = tmp_path / "examples"
    folder.mkdir()
    for name in (*MADE, "learning.toml"):
        text = (EXAMPLES / name).read_text()
        for said, smaller in SMALLER.get(name, {}).items():
            assert text.count(f"\n{said}") == 1, said
            text = text.replace(f"\n{said}", f"\n{smaller}")
        (folder / name).write_text(text)
    return folder


@pytest.mark.parametrize("name", MADE)
def test_a_notebook_runs(examples, name):
    commands = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [sys.executable, "-W", "error", name],
        check=False,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        cwd=examples,
        env={**os.environ, "MPLBACKEND": "Agg", "PATH": commands},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for made in MADE[name]:
        assert (examples / made).stat().st_size > 0, f"{name} has not made {made}"


def test_every_notebook_is_tried_and_jupytext_reads_it():
    notebooks = {path.name for path in EXAMPLES.glob("*.py") if "\n# %%" in path.read_text()}
    assert notebooks == set(MADE)
    for name in notebooks:
        text = (EXAMPLES / name).read_text()
        assert "#       format_name: percent\n" in text.split("# %%")[0]
        cells = [cell for cell in text.split("\n# %%")[1:] if not cell.startswith(" [markdown]\n")]
        for cell in cells:
            compile(cell.partition("\n")[2], name, "exec")
