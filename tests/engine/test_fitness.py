"""What a build of LAMMPS lacks is told before work is begun, and ends it for good."""

import sys
from dataclasses import replace

import pytest

from glasscreep.tasks.build import unfit, variants
from glasscreep.tasks.manifest import read_manifest
from glasscreep.tasks.segment import run_segment
from glasscreep.tasks.settings import EngineSettings, Wanted

WITHOUT_OPT = "born"


def test_variants_are_those_of_the_style(engine):
    assert variants(engine.lammps, "lj/cut") == ["off", "opt", "omp"]
    assert variants(engine.lammps, WITHOUT_OPT) == ["off", "omp"]
    assert variants(engine.lammps, "no/such") == []


@pytest.mark.parametrize("accelerator", [None, "off", "opt", "omp"])
def test_what_is_there_is_fit(engine, accelerator):
    assert unfit(engine.lammps, "lj/cut", accelerator) is None


def test_a_style_that_is_not_there_is_told_with_the_packages_that_are(engine):
    for accelerator in (None, "opt"):
        said = unfit(engine.lammps, "no/such", accelerator)
        assert said.startswith("the model's pair style no/such is not in LAMMPS 20")
        assert ", OPENMP, OPT, " in said
        assert "\n" not in said


def test_a_variant_that_is_not_there_is_told_with_those_that_are(engine):
    said = unfit(engine.lammps, WITHOUT_OPT, "opt")
    assert (
        "resources.accelerator is 'opt', but of the pair style born there is only off, omp" in said
    )
    assert said.endswith("have the fastest one measured.")  # for the package is there


WITH_A_STYLE = f"""
import runpy
from glasscreep.tasks.model import LennardJones

LennardJones.style = "{WITHOUT_OPT}"
runpy.run_module("glasscreep.tasks.md", run_name="__main__")
"""


@pytest.mark.slow
@pytest.mark.parametrize("ranks", [1, 2])
def test_an_md_process_refuses_before_it_begins(new_campaign, ranks):
    task = new_campaign(ranks=ranks, wanted=Wanted("opt", 0.3)).glass_task()
    outcome = run_segment(replace(task, launch=(*task.launch, sys.executable, "-c", WITH_A_STYLE)))
    assert outcome.kind == "unfit"
    assert "there is only off, omp" in outcome.message
    assert read_manifest(task.place()).checkpoint is None


@pytest.mark.slow
def test_what_a_glass_has_begun_with_is_asked_for_whatever_is_wanted(new_campaign):
    task = new_campaign(wanted=Wanted("opt", 0.3)).glass_task()
    assert run_segment(task).kind == "done"
    assert read_manifest(task.place()).settings == EngineSettings("opt", 0.3)
    again = replace(task, attempt=2, settings=Wanted("off", 0.3))
    launch = (*task.launch, sys.executable, "-c", WITH_A_STYLE)
    assert run_segment(replace(again, launch=launch)).kind == "unfit"
