"""Nothing in a campaign directory is ever read as code, but for a function that the user names."""

import ast
import json
import pickle
from pathlib import Path

import pytest
import zarr

ROOT = Path(__file__).parents[2]
SOURCES = sorted(
    path for name in ("campaign", "tasks", "slurm") for path in ROOT.glob(f"{name}/*.py")
)
MODULES = {"_pickle", "cloudpickle", "dill", "joblib", "marshal", "pickle", "shelve", "skops"}
CALLS = {"compile", "eval", "exec", "exec_module", "read_pickle", "run_path", "to_pickle"}
USERS = "user_function"
"""The module that runs a function of the user's, its hash verified."""
MODEL = "model_archive"
"""The module that makes a model of a file, all types in it looked at before."""


def what_runs_code(text: str) -> set[str]:
    """Name the modules, calls and arguments in a source that could read code from data."""
    found = set()
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.Import(names=names):
                found |= {name.name.split(".")[0] for name in names} & MODULES
            case ast.ImportFrom(module=str(module), names=names):
                parts = {*module.split("."), *(name.name for name in names)}
                found |= parts & (MODULES | CALLS)
            case ast.Call(func=ast.Name(id=name)):
                found |= {name} & CALLS
            case ast.Attribute(attr=name):
                found |= {name} & {"exec_module", "read_pickle", "run_path", "to_pickle", *MODULES}
            case ast.keyword(arg="allow_pickle", value=ast.Constant(value=False)):
                pass
            case ast.keyword(arg="allow_pickle"):
                found.add("allow_pickle")
    return found


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_no_module_reads_code(source):
    allowed = {USERS: {"compile", "exec"}, MODEL: {"skops"}}.get(source.stem, set())
    assert what_runs_code(source.read_text()) == allowed


@pytest.mark.parametrize(
    "text",
    [
        "import pickle",
        "import pickle as p",
        "from joblib import load",
        "import skops.io",
        "from skops.io import load",
        "from numpy import load\nload(path, allow_pickle=True)",
        "import numpy as np\nnp.load(path, allow_pickle=flag)",
        "pd.read_pickle(path)",
        "from pandas import read_pickle",
        "distributed.protocol.pickle.loads(data)",
        "from distributed.protocol import pickle",
        "eval(text)",
        "spec.loader.exec_module(module)",
    ],
)
def test_what_would_read_code_is_found(text):
    assert what_runs_code(text)


class Planted:
    """Leaves a trace when it is unpickled."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[object, ...]:
        return Path.mkdir, (self.trace,)


def test_the_trace_shows():
    with pytest.raises(FileNotFoundError):
        pickle.loads(pickle.dumps(Planted(Path("/nowhere/at/all"))))


@pytest.mark.parametrize("codec", ["pickle", "numcodecs.pickle"])
def test_zarr_unpickles_no_array(tmp_path, codec):
    """A codec of numcodecs would; a store whose metadata names that codec must not make Zarr use it."""
    array = zarr.create_array(str(tmp_path / "array"), shape=(4,), chunks=(4,), dtype="f8")
    array[:] = 1
    metadata, trace = tmp_path / "array" / "zarr.json", tmp_path / "trace"
    planted = json.loads(metadata.read_text())
    planted["codecs"] = [planted["codecs"][0], {"name": codec, "configuration": {"protocol": 5}}]
    metadata.write_text(json.dumps(planted))
    (tmp_path / "array" / "c" / "0").write_bytes(pickle.dumps(Planted(trace)))
    with pytest.raises(zarr.errors.UnknownCodecError):
        zarr.open_array(str(tmp_path / "array"), mode="r")[:]
    assert not trace.exists()
