"""Bash completes commands, options, choices and files, once completion is installed."""

import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from filled_campaign import Frames, make_campaign
from program import GLASSCREEP
from typer.main import get_command

import glasscreep
from glasscreep.campaign import completion
from glasscreep.campaign.main import app

slow = pytest.mark.slow
"""As a Python starts at each completion."""

DEADLINE_S = 60
PROMPT = "ready> "


class Terminal:
    """An interactive bash on a terminal of its own."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self._process, self._terminal = pty.fork()
        if self._process == 0:
            os.chdir(folder)
            os.execvpe("bash", ["bash", "--noprofile", "-i"], environment)
        self._seen = ""

    def type(self, keys: str) -> None:
        """Press keys."""
        self._seen = ""
        os.write(self._terminal, keys.encode())

    def shows(self, text: str) -> str:
        """Wait until a text is there; give all that is."""
        end = time.monotonic() + DEADLINE_S
        while text not in self._seen:
            left = end - time.monotonic()
            assert left > 0, f"no {text!r} in {self._seen!r}"
            if select.select([self._terminal], [], [], left)[0]:
                self._seen += os.read(self._terminal, 4096).decode(errors="replace")
        return self._seen

    def close(self) -> None:
        """End bash."""
        os.kill(self._process, signal.SIGKILL)
        os.waitpid(self._process, 0)
        os.close(self._terminal)


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """Make a campaign whose first run has begun."""
    place = tmp_path_factory.mktemp("completion") / "filled"
    campaign = make_campaign(place, Frames.of_corner(200))
    campaign.write(0, 1)
    return campaign


@pytest.fixture
def terminal(require, tmp_path, filled):
    """Open a terminal whose bash was told of completion by --install-completion."""
    require(shutil.which("bash") is not None, "completion is tried in bash")
    (tmp_path / "demo").mkdir()
    (tmp_path / "filled").symlink_to(filled.directory)
    environment = {
        "HOME": str(tmp_path),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "TERM": "dumb",
        **{name: os.environ[name] for name in {"PYTHONPATH"} & set(os.environ)},
    }
    (tmp_path / ".bashrc").write_text(f"PS1='{PROMPT}'\n")
    subprocess.run(
        ["bash", "-c", "glasscreep --install-completion; exit $?"],
        check=True,
        capture_output=True,
        env=environment,
        timeout=DEADLINE_S,
    )
    terminal = Terminal(tmp_path, environment)
    terminal.shows(PROMPT)
    yield terminal
    terminal.close()


@slow
@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("glasscreep stat", "glasscreep status "),
        ("glasscreep query demo strain --temp", "--temperature "),
        ("glasscreep query demo strain --format j", "json"),
        ("glasscreep status de", "glasscreep status demo/"),
        ("glasscreep logs --lin", "--lines "),
        ("glasscreep query filled cre", "creep_fit"),
        ("glasscreep query ~/filled cre", "creep_fit"),
        ("glasscreep query filled strain --run ", "RUN"),
        ("glasscreep export filled --run ", "RUN"),
        ("glasscreep export filled --with d2min_20,d2min_6", "d2min_20,d2min_60"),
        ("glasscreep report filled --show-run ", "RUN"),
        ("glasscreep cancel filled ", "RUN"),
        ("glasscreep logs filled GLASS", "GLASS"),
        ("glasscreep forget filled d2min_20 cre", "creep_fit"),
    ],
)
def test_a_tab_completes(terminal, filled, typed, completed):
    run, (glass, _) = filled.place(0).name, filled.prepared.glasses
    typed, wanted = typed.replace("GLASS", glass.id[:8]), completed.replace("GLASS", glass.id)
    terminal.type(f"{typed}\t")
    terminal.shows(wanted.replace("RUN", run))


@slow
def test_two_tabs_show_the_commands(terminal):
    terminal.type("glasscreep \t\t")
    for command in ("cancel", "doctor", "submit"):
        terminal.shows(command)


def words(*given):
    """Take words for those of a `query` that a shell is to complete."""
    query = get_command(app).commands["query"]
    return query.make_context("query", [str(word) for word in given], resilient_parsing=True)


def test_results_are_those_of_the_campaign(filled):
    opened = glasscreep.open(filled.directory)
    assert set(completion.complete_result(words(filled.directory), "")) == set(opened.results)
    stored = {name for name in opened.results if "observable" in filled.attributes(name)}
    assert set(completion.complete_computed(words(filled.directory), "")) == stored
    assert completion.complete_columns(words(filled.directory), "") == ["d2min_20", "d2min_60"]


def test_an_option_that_awaits_its_value_hides_no_directory(filled):
    runs = [filled.place(0).name]
    assert completion.complete_run(words(filled.directory, "--run"), runs[0][:3]) == runs
    assert completion.complete_run(words(filled.directory, "--run", runs[0], "--run"), "") == runs


@pytest.mark.parametrize(
    "metadata", [None, "", "[]", "{}", "\xff", '{"consolidated_metadata": {"metadata": {"a": 1}}}']
)
def test_without_a_sound_campaign_nothing_is_completed(tmp_path, metadata):
    if metadata is not None:
        (tmp_path / "store.zarr").mkdir()
        (tmp_path / "store.zarr" / "zarr.json").write_text(metadata, "latin-1")
    for complete in (
        completion.complete_result,
        completion.complete_computed,
        completion.complete_columns,
        completion.complete_run,
        completion.complete_run_or_glass,
    ):
        for given in ([tmp_path], [tmp_path / "nowhere"], []):
            assert complete(words(*given), "") == []


def test_ten_thousand_runs_are_named_without_the_store(tmp_path):
    runs = [f"{at:016x}" for at in range(10_000)]
    for run in runs:
        (tmp_path / "runs" / run).mkdir(parents=True)
    assert completion.complete_run(words(tmp_path, "--run"), "") == runs


def test_nothing_heavy_is_imported(filled):
    done = subprocess.run(
        [sys.executable, "-X", "importtime", GLASSCREEP],
        capture_output=True,
        check=True,
        text=True,
        env={
            **os.environ,
            "_GLASSCREEP_COMPLETE": "complete_bash",
            "COMP_WORDS": f"glasscreep query {filled.directory} cre",
            "COMP_CWORD": "3",
        },
    )
    assert "creep_fit" in done.stdout
    assert not {"numpy", "zarr", "pandas", "dask"} & {
        line.rpartition("|")[2].strip() for line in done.stderr.splitlines()
    }
