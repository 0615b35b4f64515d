"""Machine code is kept for all processes of a user, and is never stale, torn or a stranger's."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from glasscreep.analysis import source_stamp as stamps

SCRIPT = """
from glasscreep.analysis.compiled import compiled
from glasscreep.analysis.kernel_cache import cache_counts

@compiled
def halve(x):
    return x / 2

print(halve(3.0), *cache_counts())
"""

EVERYTHING = """
from glasscreep.analysis.warm import warm_kernels
first = list(warm_kernels())
again = list(warm_kernels())
print(sum(one.compiled for one in first), sum(one.compiled + one.loaded for one in again))
"""


@pytest.fixture
def script(tmp_path):
    path = tmp_path / "script.py"
    path.write_text(SCRIPT)
    return path


def start(command, cache):
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(cache)}
    return subprocess.Popen(
        [sys.executable, *command], env=environment, stdout=subprocess.PIPE, text=True
    )


def run(script, cache):
    process = start([str(script)], cache)
    output = process.communicate(timeout=120)[0]
    assert process.returncode == 0
    return output.split()


def kernel_files(cache):
    return list(Path(cache).rglob("*.kernel"))


def test_compiled_once_and_loaded_ever_after(script, tmp_path):
    assert run(script, tmp_path / "cache") == ["1.5", "1", "0"]
    assert run(script, tmp_path / "cache") == ["1.5", "0", "1"]


def test_of_many_that_start_at_once_one_compiles(script, tmp_path):
    processes = [start([str(script)], tmp_path / "cache") for _ in range(6)]
    outputs = [process.communicate(timeout=120)[0].split() for process in processes]
    assert {output[0] for output in outputs} == {"1.5"}
    assert sum(int(output[1]) for output in outputs) == 1
    assert sum(int(output[2]) for output in outputs) == 5


def test_a_changed_file_is_compiled_again(script, tmp_path):
    run(script, tmp_path / "cache")
    script.write_text(SCRIPT.replace("x / 2", "x / 4"))
    assert run(script, tmp_path / "cache") == ["0.75", "1", "0"]


@pytest.mark.parametrize("damage", ["cut", "flip"])
def test_a_damaged_file_is_compiled_again(script, tmp_path, damage):
    run(script, tmp_path / "cache")
    (file,) = kernel_files(tmp_path / "cache")
    content = bytearray(file.read_bytes())
    if damage == "cut":
        del content[len(content) // 2 :]
    else:
        content[len(content) // 2] ^= 1
    file.write_bytes(content)
    assert run(script, tmp_path / "cache") == ["1.5", "1", "0"]
    assert run(script, tmp_path / "cache") == ["1.5", "0", "1"]


def test_nothing_is_loaded_where_others_may_write(script, tmp_path):
    run(script, tmp_path / "cache")
    (file,) = kernel_files(tmp_path / "cache")
    file.chmod(0o666)
    assert run(script, tmp_path / "cache") == ["1.5", "1", "0"]
    file.parent.chmod(0o777)
    assert run(script, tmp_path / "cache") == ["1.5", "1", "0"]


def test_without_a_cache_each_process_compiles(script, tmp_path):
    (tmp_path / "cache").write_text("no directory")
    assert run(script, tmp_path / "cache") == ["1.5", "1", "0"]


def test_a_stamp_depends_on_what_is_imported_however_far(tmp_path, monkeypatch):
    monkeypatch.setattr(stamps, "_FOLDER", tmp_path)
    near, far, other = (tmp_path / f"{name}.py" for name in ("near", "far", "other"))

    def stamp(far_text):
        stamps._contents.cache_clear()
        stamps._imports.cache_clear()
        near.write_text("from glasscreep.analysis.far import f\n")
        far.write_text(far_text)
        other.write_text(far_text)
        return stamps.source_stamp(near)

    before = stamp("f = 1\n")
    assert stamp("f = 1\n") == before
    assert stamp("f = 2\n") != before
    stamps._contents.cache_clear()
    stamps._imports.cache_clear()


@pytest.mark.slow
def test_warming_compiles_all_that_is_called_later(tmp_path):
    process = start(["-c", EVERYTHING], tmp_path / "cache")
    compiled, later = map(int, process.communicate(timeout=600)[0].split())
    assert compiled > 100
    assert later == 0
    for cache, status in (("cache", 0), ("none", 1)):
        check = start(["-m", "glasscreep.analysis.warm", "--check"], tmp_path / cache)
        check.communicate(timeout=120)
        assert check.returncode == status
