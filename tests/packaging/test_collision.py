"""The user's own `tasks.py` and `analysis.py` are not taken for ours.

A batch job's worker is started in the user's directory, which then comes first on the path.
"""

import inspect
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from distributed import Client, LocalCluster

from glasscreep.tasks.physics import GlassPhysics

SCRIPTS = Path(sys.executable).parent


@pytest.fixture
def users_directory(tmp_path: Path) -> Path:
    for name in ("tasks", "analysis", "campaign", "slurm"):
        (tmp_path / f"{name}.py").write_text("raise RuntimeError('this is the user\\'s module')\n")
    return tmp_path


def test_the_command_starts(users_directory):
    run = subprocess.run(
        [SCRIPTS / "glasscreep", "--help"],
        cwd=users_directory,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert "Usage" in run.stdout


def test_a_dask_worker_started_there_imports_ours(users_directory):
    with (
        LocalCluster(n_workers=0, dashboard_address="127.0.0.1:0") as cluster,
        Client(cluster) as client,
    ):
        command = [sys.executable, "-m", "distributed.cli.dask_worker", cluster.scheduler_address]
        worker = subprocess.Popen(
            [*command, "--no-nanny", "--no-dashboard", "--nthreads", "1"], cwd=users_directory
        )
        try:
            client.wait_for_workers(1, timeout=60)
            (found,) = client.run(inspect.getfile, GlassPhysics).values()
            (theirs,) = client.run(find_spec, "tasks").values()
        finally:
            worker.terminate()
            worker.wait(60)
    assert found.endswith("glasscreep/tasks/physics.py")
    assert theirs.origin == str(users_directory / "tasks.py"), "or this test shows nothing"
