"""A campaign that the LAMMPS of this machine can't do is refused before anything is made."""

import os
import re
import sys

import pytest
from typer.testing import CliRunner

from glasscreep.campaign import fitness
from glasscreep.campaign.file import Campaign
from glasscreep.campaign.main import app
from glasscreep.campaign.problems import RefusedError
from glasscreep.campaign.terminal import REFUSED

SMALL = """
replicas = 1

[model]
pair_style = "born 2.5"
pair_coeff = "* * 1.0 1.0 1.0 1.0 1.0"
cutoff = 2.5

[[grid]]
temperature = 0.1
stress = 0.5

[resources]
accelerator = "opt"
"""


def test_what_the_build_has_is_not_refused():
    for accelerator in ("off", "opt", "omp", None):
        fitness.demand_fit(Campaign(resources={"accelerator": accelerator}))


@pytest.fixture
def file(tmp_path, monkeypatch):
    """Write a campaign file that asks for a variant that its pair style lacks."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "small.toml"
    path.write_text(SMALL)
    return path


@pytest.mark.parametrize("command", ["run", "plan"])
def test_what_lacks_is_told_and_nothing_is_made(file, command):
    done = CliRunner().invoke(app, [command, str(file)])
    assert done.exit_code == REFUSED
    assert "of the pair style born there is only off, omp" in done.stderr
    assert list(file.parent.iterdir()) == [file]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ('pair_style = "nonsense"\npair_coeff = "* * 1"', "pair style nonsense is not in LAMMPS"),
        (
            'pair_style = "lj/ctu 2.5"\npair_coeff = "* * 1 1"',
            r"pair style lj/ctu \(did you mean lj/cut .*\?\) is not in LAMMPS",
        ),
        (
            'pair_style = "born 2.5"\npair_coeff = "* * 1.0"',
            "LAMMPS refuses .model.: .* given: pair_coeff",
        ),
        (
            """pair_style = "eam/fs"\npotential_files = "CuZr_mm.eam.fs"
pair_coeff = "* * CuZr_mm.eam.fs Cu Unobtainium\"""",
            "requires metal units but lj units are in use .* given: pair_coeff",
        ),
    ],
)
def test_what_lammps_makes_nothing_of_is_told(tmp_path, monkeypatch, lines, message):
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "small.toml"
    file.write_text(f"[model]\ncutoff = 2.5\n{lines}\n")
    done = CliRunner().invoke(app, ["plan", str(file)])
    assert done.exit_code == REFUSED
    assert re.search(message, done.stderr.replace("\n", " "))
    assert list(tmp_path.iterdir()) == [file]


def test_a_protocol_that_fails_is_told(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text("def load(run, step):\n    return None\n")
    (tmp_path / "small.toml").write_text('[creep]\nprotocol = "mine:load"\n')
    done = CliRunner().invoke(app, ["run", str(tmp_path / "small.toml")])
    assert done.exit_code == REFUSED
    assert "the protocol mine:load returned None at step 0" in done.stderr.replace("\n", " ")
    assert not (tmp_path / "small").exists()


def test_a_plan_for_a_cluster_asks_nothing_of_this_machine(file):
    file.write_text(f"{SMALL}\n[cluster]\n")
    assert CliRunner().invoke(app, ["plan", str(file)]).exit_code == 0


def test_a_lammps_that_can_not_be_started_is_told(tmp_path, monkeypatch):
    (tmp_path / "lammps.py").write_text("raise ImportError('libmpi.so.12 is not there')")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), *filter(None, sys.path)]))
    with pytest.raises(RefusedError, match=r"can't be started.*libmpi.so.12 is not there.*doctor"):
        fitness.demand_fit(Campaign())


def test_a_lammps_that_hangs_is_given_up(monkeypatch):
    monkeypatch.setattr(fitness, "TIMEOUT_S", 0.01)
    with pytest.raises(RefusedError, match="no answer"):
        fitness.demand_fit(Campaign())


def test_a_potential_that_reaches_beyond_the_cutoff_is_told(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "small.toml"
    file.write_text('[model]\ncutoff = 2.5\npair_style = "morse 3.0"\npair_coeff = "* * 1 5 1"\n')
    done = CliRunner().invoke(app, ["plan", str(file)])
    assert done.exit_code == REFUSED
    assert "model.cutoff is 2.5, but the potential reaches to 3" in done.stderr
