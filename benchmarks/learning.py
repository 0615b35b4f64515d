"""Time and memory of `glasscreep learn`, on as many examples as the paper has.

OMP_NUM_THREADS=1 python benchmarks/learning.py CAMPAIGN_DIR --directory DIR [--runs 530] [--workers 2] [--splits 10]

CAMPAIGN_DIR is that of `examples/reference.toml`, run. Its runs stand, by hard links, for those of other stresses on
the same replicas: frames and D2min are real, and repeat; what is drawn from them differs from run to run. So do not
read the scores. DIR has to be on the same file system. Given again, `learn` goes on where it was.

A line for each stage as it ends, what its driver does since the one before included: memory is the proportional set
size, so that what processes share counts once, of driver (the scheduler is in it) and workers, five times a second.
"""

import argparse
import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

import psutil

from glasscreep.campaign.directory import Prepared, prepare, read_campaign
from glasscreep.campaign.file import load
from glasscreep.tasks.analysed import ANALYSED
from glasscreep.tasks.files import write_durably
from glasscreep.tasks.manifest import MANIFEST, encode_manifest, read_manifest
from glasscreep.tasks.opening import open_array, open_readable
from glasscreep.tasks.places import STORE, run_directory
from glasscreep.tasks.run_columns import read_run_table
from glasscreep.tasks.store import RunTable

FILE = "learning.toml"
POLL_S = 0.2
MB = 2**20


def write_file(source: Path, directory: Path, runs: int, splits: int) -> Path:
    """Ask for the campaign that was run, at as many stresses as make up the runs."""
    asked = read_campaign(source)
    points = runs // asked.replicas
    stresses = ", ".join(f"{0.5 + at / 1000:g}" for at in range(points))
    path = directory.with_name(f"{directory.name}-{FILE}")
    path.write_text(
        f"""name = "many"
seed = {asked.seed}
replicas = {asked.replicas}
[model]
particles = {asked.model.particles}
[creep]
steps = {asked.creep.steps}
[[grid]]
temperature = {asked.points()[0].temperature}
stress = [{stresses}]
[analysis]
results = ["strain", "d2min"]
d2min_intervals = {list(asked.d2min_intervals)}
[learning]
splits = {splits}
"""
    )
    return path


def fill(made: Prepared, source: Path) -> None:
    """Link the files of each replica's run to all of its runs."""
    known = read_run_table(source / STORE)
    for part, many in (("run", made.table.replica), ("glass", range(len(made.glasses)))):
        for name in of_rows(made, part):
            linked(source / STORE / name, made.store / name, known, list(many))
    for row, run in enumerate(made.runs):
        assert run is not None
        before = run_directory(source, known.run_id[known.replica.tolist().index(run.replica)])
        place = run_directory(made.directory, run.id)
        place.mkdir(exist_ok=True)
        manifest = read_manifest(before)
        assert manifest is not None, row
        write_durably(place / MANIFEST, encode_manifest(replace(manifest, id=run.id)))
        write_durably(place / ANALYSED, (before / ANALYSED).read_bytes())


def of_rows(made: Prepared, part: str) -> list[str]:
    """Name the arrays with files of their own for each run, or each glass."""
    group = open_readable(made.store)
    arrays = {name: open_array(group, name) for name in group.array_keys()}
    rows = len(made.runs) if part == "run" else len(made.glasses)
    return [
        name
        for name, array in arrays.items()
        if array.shape[0] == rows
        and (array.shards or array.chunks)[0] == 1
        and name.startswith("glass_") == (part == "glass")
    ]


def linked(before: Path, after: Path, known: RunTable, replicas: list[int]) -> None:
    """Give each row the files of the row of its replica."""
    rows = {int(replica): row for row, replica in enumerate(known.replica)}
    for row, replica in enumerate(replicas):
        for file in before.glob(f"c.{rows[int(replica)]}*"):
            name = file.name.split(".", 2)
            target = after / ".".join(["c", str(row), *name[2:]])
            if name[1] == str(rows[int(replica)]) and not target.exists():
                os.link(file, target)


@dataclass
class Watch:
    """The processes of a command, from outside."""

    root: psutil.Process
    peak: dict[str, float] = field(default_factory=dict)
    """By process, and of all together: largest since the last line [MB]."""
    highest: dict[str, float] = field(default_factory=dict)
    """Largest of all [MB]."""
    cpu: dict[int, float] = field(default_factory=dict)
    """By process, also of those that have ended [s]."""

    def look(self) -> None:
        now = {}
        for process in [self.root, *self.root.children(recursive=True)]:
            try:
                memory, times = process.memory_full_info(), process.cpu_times()
                is_driver = process.pid == self.root.pid
                name = "driver" if is_driver else f"{kind(process)} {process.pid}"
            except psutil.Error:  # it has just ended
                continue
            now[name] = memory.pss / MB
            self.cpu[process.pid] = times.user + times.system
        now["all"] = sum(now.values())
        for name, memory in now.items():
            self.peak[name] = max(self.peak.get(name, 0), memory)
            self.highest[name] = max(self.highest.get(name, 0), memory)


def kind(process: psutil.Process) -> str:
    return "worker" if "spawn_main" in " ".join(process.cmdline()) else "helper"


def memory_of(peaks: dict[str, float]) -> str:
    workers = [peak for name, peak in peaks.items() if name.startswith("worker")]
    largest = max(workers, default=0)
    return f"{peaks['all']:8.0f} {peaks['driver']:8.0f} {largest:8.0f}"


def measure(file: Path, directory: Path, workers: int) -> int:
    program = Path(sys.executable).with_name("glasscreep")
    command = [program, "learn", file, "--dir", directory, "--workers", str(workers)]
    learning = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert learning.stdout is not None
    watch, ended = Watch(psutil.Process(learning.pid)), threading.Event()
    guard = threading.Lock()

    def look_on() -> None:
        while not ended.wait(POLL_S):
            with guard:
                watch.look()

    threading.Thread(target=look_on, daemon=True).start()
    print(f"{'':34s} {'wall s':>8s} {'CPU s':>8s} {'all MB':>8s} {'driver':>8s} {'worker':>8s}")
    start = last = time.monotonic()
    cpu = 0.0
    rest = []
    for line in learning.stdout:
        if not line.rstrip().endswith(" done"):
            rest.append(line)
            continue
        with guard:
            now, total = time.monotonic(), sum(watch.cpu.values())
            text = f"{now - last:8.1f} {total - cpu:8.1f} {memory_of(watch.peak)}"
            print(f"{line.strip():34s} {text}", flush=True)
            last, cpu = now, total
            watch.peak.clear()
            watch.look()
    code = learning.wait()
    ended.set()
    total = sum(watch.cpu.values())
    text = f"{time.monotonic() - start:8.1f} {total:8.1f} {memory_of(watch.highest)}"
    print(f"{'in all, at most':34s} {text}")
    print("".join(rest))
    return code


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path, metavar="CAMPAIGN_DIR")
    parser.add_argument("--directory", type=Path, required=True)
    parser.add_argument("--runs", type=int, default=530)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--splits", type=int, default=10)
    told = parser.parse_args()
    file = write_file(told.source, told.directory, told.runs, told.splits)
    fill(prepare(load(file), told.directory), told.source)
    sys.exit(measure(file, told.directory, told.workers))


if __name__ == "__main__":
    main()
