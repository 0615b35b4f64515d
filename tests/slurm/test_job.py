"""Jobs are asked for exactly as meant: whatever is in names and paths, and whatever sbatch does."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import dask
import psutil
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from waiting import wait_until

from glasscreep.slurm import commands
from glasscreep.slurm.commands import call
from glasscreep.slurm.errors import SlurmError, SlurmUnreachableError
from glasscreep.slurm.job import BatchJob, submitted
from glasscreep.slurm.script import JobRequest

NASTY = "a b'c\"d$(touch x)`touch y`%j%%\n#SBATCH --partition=second\n;&|<>*?[~]{é}\udcff!\r\t "
WAIT_S = 60


def request(**changes):
    values = {
        "name": "creep.md.0123abcd",
        "partition": None,
        "account": None,
        "qos": None,
        "constraint": None,
        "nodes": 1,
        "tasks_per_node": 2,
        "memory_mb": 500,
        "walltime_s": 600,
        "output": Path("/scratch/creep/slurm/md-%j.log"),
        "prologue": (),
        "command": ("true",),
        "requeue": False,
        "signal_before_end_s": None,
    }
    return JobRequest(**values | changes)


def submit(one, folder):
    return asyncio.run(submitted(one, folder / "job.sh"))


def wait_for(bed, job_id, state):
    wait_until(lambda: bed.job(job_id).state == state, f"the job is {state}", found=bed.jobs)


def test_the_whole_script():
    one = request(
        partition="long",
        account="physics",
        qos="normal",
        constraint="[rack1|rack2]&ib",
        nodes=2,
        walltime_s=90_001,
        prologue=("module load gcc", 'export A="$HOME"'),
        command=("/opt/a b/python", "-P", "it's", "--slots", "4"),
        requeue=True,
        signal_before_end_s=120,
    )
    assert (
        one.script()
        == """#!/bin/bash
#SBATCH --job-name=creep.md.0123abcd
#SBATCH --partition=long
#SBATCH --account=physics
#SBATCH --qos=normal
#SBATCH --constraint=[rack1|rack2]&ib
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=2
#SBATCH --cpus-per-task=1
#SBATCH --mem=500M
#SBATCH --time=1-01:01:00
#SBATCH --open-mode=append
#SBATCH --requeue
#SBATCH --signal=B:USR1@120
module load gcc
export A="$HOME"
exec '/opt/a b/python' -P 'it'"'"'s' --slots 4
"""
    )


nasty = st.text(st.sampled_from(NASTY + "\\=-\v\f\x7f\u2028\xa0") | st.characters(codec="utf-8"))
arguments = nasty.filter(lambda text: "\0" not in text)


@settings(max_examples=60)
@given(st.lists(arguments, max_size=3))
def test_bash_passes_arguments_on_as_they_are(words):
    assume("\r\n" not in "\n".join(words))
    script = os.fsencode(request(command=("printf", r"%s\0", *words, "end")).script())
    assert subprocess.run(["bash", "-n"], input=script, check=False).returncode == 0
    said = subprocess.run(["bash"], input=script, capture_output=True, check=True).stdout
    assert said == b"".join(os.fsencode(word) + b"\0" for word in [*words, "end"])


@given(st.sampled_from(["partition", "account", "qos", "constraint"]), nasty.filter(bool))
def test_an_option_is_one_word_or_refused(key, value):
    one = request(**{key: value})
    if set(value) & set("'\"\\#$`;<>\0") or value.split() != [value] or value.startswith("-"):
        with pytest.raises(SlurmError, match="one word"):
            one.script()
    elif value.isprintable():
        lines = one.script().split("\n")
        lines.remove(f"#SBATCH --{key}={value}")
        assert lines == request().script().split("\n")


@pytest.mark.parametrize("value", ["--wrap=id", "-x", "a b", "a\nb", "a#b", "$(id)", "'a'", "a\\b"])
def test_words_that_slurm_would_misread_are_refused(value):
    with pytest.raises(SlurmError, match="one word"):
        request(partition=value).script()


@pytest.mark.parametrize("word", ["a\r\nb", "a\0b"])
def test_what_no_script_can_hold_is_refused(word):
    with pytest.raises(SlurmError, match="another directory"):
        request(command=("true", word)).script()


def test_a_path_that_slurm_cant_write_to_is_refused(tmp_path, stand_in):
    stand_in("sbatch", 'touch "$HERE/called"')
    with pytest.raises(SlurmError, match="backslash"):
        submit(request(output=tmp_path / "a\\b" / "md-%j.log"), tmp_path)
    assert not (tmp_path / "stand-ins/called").exists()


def test_a_job_with_a_nasty_directory_and_nasty_arguments(bed, tmp_path):
    folder = tmp_path / NASTY.strip()
    folder.mkdir()
    code = "import os, sys; print(os.getcwd(), ascii(sys.argv[1:]))"
    words = (sys.executable, "-P", "-c", code, str(folder), NASTY, "")
    one = request(name="a&b|c*[d](e)", output=folder / "md-%j.log", command=words)
    job_id = submit(one, folder)
    wait_for(bed, job_id, "COMPLETED")
    assert one.log(job_id) == folder / f"md-{job_id}.log"
    assert one.log(job_id).read_text() == f"/ {[str(folder), NASTY, '']!a}\n"
    assert bed.job(job_id).name == "a&b|c*[d](e)"
    assert os.fsdecode((folder / "job.sh").read_bytes()) == one.script()
    assert (folder / "job.sh").stat().st_mode & 0o777 == 0o600
    assert bed.command("squeue", "-h", "--states=all", "-o%P", f"-j{job_id}").strip() == "main"
    assert sorted(path.name for path in folder.iterdir()) == ["job.sh", f"md-{job_id}.log"]


def test_a_job_gets_what_it_asks_for_and_is_closed(bed, tmp_path):
    one = request(
        partition="second",
        nodes=2,
        tasks_per_node=3,
        walltime_s=61,
        output=tmp_path / "md-%j.log",
        command=("sleep", "600"),
    )

    async def there_and_back():
        job = await BatchJob(one, tmp_path / "job.sh")
        wait_for(bed, job.job_id, "RUNNING")
        columns = "%P %D %C %m %l"
        said = bed.command("squeue", "-h", f"-o{columns}", f"-j{job.job_id}")
        await job.close()
        wait_for(bed, job.job_id, "CANCELLED")
        return said.split()

    assert asyncio.run(there_and_back()) == ["second", "2", "6", "500M", "2:00"]


def test_the_environment_of_another_job_is_left_out(bed, tmp_path, monkeypatch):
    left_out = ["SLURM_NTASKS", "SBATCH_PARTITION", "PMI_RANK", "SQUEUE_PARTITION"]
    for name in left_out:
        monkeypatch.setenv(name, "second")
    monkeypatch.setenv("MINE", "kept")
    job_id = submit(request(output=tmp_path / "md-%j.log", command=("env",)), tmp_path)
    wait_for(bed, job_id, "COMPLETED")
    said = (tmp_path / f"md-{job_id}.log").read_text().splitlines()
    assert "MINE=kept" in said
    assert "SLURM_NTASKS=2" in said
    assert not [line for line in said if line.endswith("=second")]


def test_a_users_own_configuration_of_dask_jobqueue_is_not_for_us(tmp_path, stand_in):
    folder = stand_in(
        "sbatch", 'echo "$@" > "$HERE/arguments"; cat "${@: -1}" > "$HERE/script"; echo 7'
    )
    theirs = {
        "queue": "theirs",
        "account": "theirs",
        "job-extra": ["--theirs"],
        "job-extra-directives": ["--theirs"],
        "job-script-prologue": ["theirs"],
        "log-directory": str(tmp_path / "theirs"),
        "env-extra": ["theirs"],
    }
    with dask.config.set({"jobqueue.slurm": theirs, "jobqueue.glasscreep": theirs}):
        assert submit(request(), tmp_path) == "7"
    assert (folder / "script").read_text() == request().script()
    assert "theirs" not in (folder / "arguments").read_text()
    assert not (tmp_path / "theirs").exists()


@pytest.mark.parametrize("said", ["12", "12;cluster"])
def test_the_id_of_the_job(tmp_path, stand_in, said):
    stand_in("sbatch", f"echo '{said}'")
    assert submit(request(), tmp_path) == "12"


@pytest.mark.parametrize(
    "said", ["", "Submitted batch job 12", "12 13", "0x1", "12\\n13", "\uff11"]
)
def test_anything_else_is_no_id(tmp_path, stand_in, said):
    stand_in("sbatch", f"echo -e '{said}'")
    with pytest.raises(SlurmError, match="was to print the id"):
        submit(request(), tmp_path)


@pytest.mark.parametrize(
    ("said", "then"),
    [
        ("Invalid partition name specified", "sinfo"),
        ("Requested node configuration is not available", "sinfo"),
        ("something new", "something new"),
    ],
)
def test_a_refusal_is_told_with_what_to_do(tmp_path, stand_in, said, then):
    stand_in("sbatch", f"echo 'sbatch: error: {said}' >&2; exit 1")
    with pytest.raises(SlurmError, match=then) as raised:
        submit(request(), tmp_path)
    assert not isinstance(raised.value, SlurmUnreachableError)
    assert said in str(raised.value)
    assert "`sbatch --parsable" in str(raised.value)


@pytest.mark.parametrize(
    "said",
    [
        "Unable to contact slurm controller (connect failure)",
        "Socket timed out on send/recv operation",
        "QOSMaxSubmitJobPerUserLimit",
    ],
)
def test_trouble_that_passes_is_told_apart(tmp_path, stand_in, said):
    stand_in("sbatch", f"echo 'sbatch: error: {said}' >&2; exit 1")
    with pytest.raises(SlurmUnreachableError, match="sbatch: error"):
        submit(request(), tmp_path)


def test_a_real_refusal(bed, tmp_path):
    with pytest.raises(SlurmError, match=r"(?s)Invalid partition name.*`sinfo` lists"):
        submit(request(partition="nowhere"), tmp_path)


def is_alive(process):
    return psutil.pid_exists(process) and psutil.Process(process).status() != psutil.STATUS_ZOMBIE


def test_a_program_that_hangs_is_killed_with_its_children(tmp_path, stand_in, monkeypatch):
    folder = stand_in("sbatch", 'sleep 600 & echo $! > "$HERE/pid"; wait')
    monkeypatch.setattr(commands, "TIMEOUT_S", 0.5)
    with pytest.raises(SlurmUnreachableError, match="did not answer"):
        submit(request(), tmp_path)
    child = int((folder / "pid").read_text())
    wait_until(lambda: not is_alive(child), "the child has ended")


def test_a_machine_without_slurm(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SlurmError, match=r"sbatch can't be run .* PATH"):
        submit(request(), tmp_path)


def test_output_that_is_no_text(stand_in):
    stand_in("squeue", r"printf '\xff\xfe'")
    assert asyncio.run(call(["squeue"])) == "\ufffd\ufffd"


@pytest.mark.parametrize("thread", ["main", "another"])
def test_importing_leaves_ctrl_c_alone(thread):
    code = """
import signal, sys, threading
before = signal.getsignal(signal.SIGINT), signal.signal
failed = []
threading.excepthook = failed.append
def load():
    import glasscreep.slurm.job
if sys.argv[1] == "main":
    load()
else:
    thread = threading.Thread(target=load)
    thread.start()
    thread.join()
assert "dask_jobqueue.runner" in sys.modules
assert not failed, failed[0].exc_value
assert (signal.getsignal(signal.SIGINT), signal.signal) == before
"""
    subprocess.run([sys.executable, "-c", code, thread], check=True, timeout=WAIT_S)
