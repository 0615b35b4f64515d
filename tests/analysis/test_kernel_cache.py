"""Machine code is kept for all processes of a user, and is never stale, torn or a stranger's."""

import ast
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from numba.core import config

from glasscreep.analysis import kernel_files as files
from glasscreep.analysis import source_stamp as stamps

SCRIPT = """
from glasscreep.analysis.compiled import compiled
from glasscreep.analysis.kernel_cache import cache_counts

@compiled
def halve(x):
    return x / 2

print(halve(3.0), *cache_counts())
"""

KILLED = """
import os, runpy, signal, sys
from glasscreep.analysis.kernel_cache import KernelCache
KernelCache.save_overload = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
runpy.run_path(sys.argv[1], run_name="__main__")
"""

FULL = """
import resource, runpy, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
runpy.run_path(sys.argv[1], run_name="__main__")
"""

REFUSED = """
from numba.core.errors import NumbaError
for _ in range(2):
    try:
        halve("three")
    except NumbaError:
        print("refused")
"""

TWO = """
@compiled
def double(x):
    return 2 * x
double(3.0)
"""


@pytest.fixture
def script(tmp_path):
    path = tmp_path / "script.py"
    path.write_text(SCRIPT)
    return path


def start(command, cache):
    return subprocess.Popen(
        [sys.executable, *command],
        env={**os.environ, "NUMBA_CACHE_DIR": str(cache)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def end(process):
    """Give what the process printed, and what it warned of."""
    output, errors = process.communicate(timeout=100)  # less than a kernel may be waited for
    assert process.returncode == 0, errors
    return output.split(), errors.splitlines()


def run(script, cache):
    return end(start([str(script)], cache))[0]


def kernel_files(cache):
    return list(Path(cache).rglob("*.kernel"))


def test_compiled_once_and_loaded_ever_after(script, tmp_path):
    assert run(script, tmp_path / "cache") == ["1.5", "1", "0"]
    assert run(script, tmp_path / "cache") == ["1.5", "0", "1"]


def test_of_many_that_start_at_once_one_compiles(script, tmp_path):
    processes = [start([str(script)], tmp_path / "cache") for _ in range(6)]
    outputs = [end(process)[0] for process in processes]
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


def test_without_a_cache_each_process_compiles_and_says_so_once(script, tmp_path):
    (tmp_path / "cache").write_text("no directory")
    script.write_text(SCRIPT + TWO)
    output, warnings = end(start([str(script)], tmp_path / "cache"))
    assert output == ["1.5", "1", "0"]
    assert len(warnings) == 1
    assert "kernels are not kept on disk" in warnings[0]
    assert "Not a directory" in warnings[0]


def test_a_full_disk_keeps_nothing_and_is_told_once(script, tmp_path):
    script.write_text(SCRIPT + TWO)
    output, warnings = end(start(["-c", FULL, str(script)], tmp_path / "cache"))
    assert output == ["1.5", "1", "0"]
    assert len(warnings) == 1
    assert [path for path in tmp_path.rglob("cache/**/*") if path.is_file()] == []
    assert run(script, tmp_path / "cache") == ["1.5", "1", "0"]


def test_one_that_died_compiling_holds_nobody_up(script, tmp_path):
    dead = start(["-c", KILLED, str(script)], tmp_path / "cache")
    dead.communicate(timeout=100)
    assert dead.returncode == -signal.SIGKILL
    assert len(list(tmp_path.rglob("*.lock"))) == 1
    assert run(script, tmp_path / "cache") == ["1.5", "1", "0"]
    assert list(tmp_path.rglob("*.lock")) == []


def test_what_can_not_be_compiled_holds_nobody_up(script, tmp_path):
    script.write_text(SCRIPT + REFUSED)
    assert run(script, tmp_path / "cache") == ["1.5", "1", "0", "refused", "refused"]
    assert run(script, tmp_path / "cache") == ["1.5", "0", "1", "refused", "refused"]


def test_a_kernel_keeps_what_was_used_last(tmp_path, monkeypatch):
    monkeypatch.setitem(vars(config), "CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(files, "KEPT", 3)
    folder = files.cache_folder() / "one"
    for age in range(5):
        files.write_code(folder / f"{age}.kernel", b"code")
        os.utime(folder / f"{age}.kernel", (0, 1e9 - age))
    assert sorted(path.stem for path in folder.iterdir()) == ["0", "1", "4"]


def test_what_is_typed_at_a_prompt_is_compiled_and_not_kept(tmp_path):
    output, _ = end(start(["-c", SCRIPT], tmp_path / "cache"))
    assert output == ["1.5", "0", "0"]


def test_where_the_cache_is(tmp_path, monkeypatch):
    monkeypatch.setitem(vars(config), "CACHE_DIR", "")
    monkeypatch.setenv("HOME", str(tmp_path))
    for chosen in ("", "relative/is/no/answer"):
        monkeypatch.setenv("XDG_CACHE_HOME", chosen)
        assert files.cache_folder() == tmp_path / ".cache/glasscreep/kernels"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "mine"))
    assert files.cache_folder() == tmp_path / "mine/glasscreep/kernels"
    monkeypatch.setitem(vars(config), "CACHE_DIR", str(tmp_path / "ours"))
    assert files.cache_folder() == tmp_path / "ours/glasscreep/kernels"


def test_problems_of_the_cache_are_named_without_writing(tmp_path, monkeypatch):
    monkeypatch.setitem(vars(config), "CACHE_DIR", str(tmp_path))
    assert files.cache_problem() == ""
    assert list(tmp_path.iterdir()) == []
    folder = files.cache_folder()
    folder.mkdir(parents=True)
    folder.chmod(0o777)
    assert "others than this user may write" in files.cache_problem()
    folder.chmod(0o700)
    assert files.cache_problem() == ""
    folder.rmdir()
    folder.write_text("no directory")
    assert files.cache_problem() == f"{folder} can't be written to"


def test_stamps_know_all_imports():
    """What the stamp finds by its pattern is what Python's own parser finds."""
    folder = Path(stamps.__file__).parent
    package = stamps.__package__
    for path in folder.glob("*.py"):
        imported = set()
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{path}: relative import"
                assert node.module != package, f"{path}: imports the package, not its module"
                imported.add(node.module)
            elif isinstance(node, ast.Import):
                imported.update(name.name for name in node.names)
        ours = {name for name in imported if name.startswith(f"{package}.")}
        found = {f"{package}.{file.stem}" for file in stamps._imports(path.read_bytes())}
        assert found == ours, path


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
