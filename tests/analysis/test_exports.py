"""What the package promises is there, and costs nothing until it is asked for."""

import subprocess
import sys
from pathlib import Path

import pytest

from glasscreep import analysis


def test_every_name_leads_to_what_it_names():
    for name in analysis.__all__:
        found = getattr(analysis, name)
        assert getattr(found, "__name__", name) == name
        assert found is not sys.modules.get(f"{analysis.__name__}.{name}")


def test_no_module_has_the_name_of_something_exported():
    modules = {path.stem for path in Path(analysis.__file__).parent.glob("*.py")}
    assert not modules & set(analysis.__all__)


def test_unknown_names_are_refused():
    with pytest.raises(AttributeError, match="has no attribute 'd3min'"):
        _ = analysis.d3min


def test_importing_the_package_does_not_import_numba():
    code = "import glasscreep.analysis, sys; print('numba' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert run.stdout.strip() == "False"
