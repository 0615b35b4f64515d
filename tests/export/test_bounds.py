"""Exports of any length take the same memory, and one that is killed leaves nothing half-written."""

import os
import signal
import subprocess
import sys
import time
import tracemalloc

import numpy as np
import pytest
from other_programs import gsd_by_gsd
from writer_contract import COLUMNS, made_frame

from glasscreep.tasks.frame_files import FORMATS, writing_frames
from glasscreep.tasks.written_frame import Contents

PARTICLES = 2000
DEADLINE_S = 60


def peak_bytes(path, form, frames):
    """Measure what writing takes besides a frame that is there anyway."""
    frame = made_frame(1, True, PARTICLES, 20)
    with writing_frames(path, FORMATS[form], Contents("lj", COLUMNS)) as write:
        write(frame)
        tracemalloc.start()
        for _ in range(frames):
            write(frame)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    return peak


@pytest.mark.parametrize("form", ["extxyz", "dump", "gsd", "h5md"])
def test_memory_does_not_grow_with_the_frames(tmp_path, form):
    path = tmp_path / f"out{FORMATS[form].endings[0]}"
    peak_bytes(path, form, 2)  # imports
    few, many = peak_bytes(path, form, 5), peak_bytes(path, form, 50)
    assert many < few + 48 * PARTICLES  # 45 frames would be 120 bytes for each particle of each


@pytest.mark.parametrize("name", ["one.gsd", "one.h5md", "one.xyz"])
def test_a_killed_export_leaves_what_was_there(straight, tmp_path, name):
    path = tmp_path / name
    form = {"gsd": "gsd", "h5md": "h5md", "xyz": "extxyz"}[name[4:]]
    path.write_text("old")
    program = (
        "import sys, time; from pathlib import Path\n"
        "from glasscreep.tasks.frame_files import FORMATS, writing_frames\n"
        "from glasscreep.tasks.reader import FrameReader\n"
        "from glasscreep.tasks.stored_frames import StoredFrames\n"
        "frames = StoredFrames(FrameReader(Path(sys.argv[1])), 0)\n"
        "with writing_frames(Path(sys.argv[2]), FORMATS[sys.argv[3]], frames.contents) as write:\n"
        "    while True:\n"
        "        write(frames.frame(3))\n"
    )
    command = [sys.executable, "-c", program, str(straight.prepared.store), str(path), form]
    with subprocess.Popen(command) as process:
        until = time.monotonic() + DEADLINE_S
        while not any(each.stat().st_size > 100_000 for each in tmp_path.glob("*.partial")):
            assert time.monotonic() < until
            assert process.poll() is None
        process.send_signal(signal.SIGKILL)
    assert path.read_text() == "old"
    assert len(os.listdir(tmp_path)) == 2


def test_positions_that_round_to_the_edge_stay_in_the_box_of_gsd(tmp_path):
    frame = made_frame(1, False, 40, 20)
    edge = frame.box[0, 0]
    frame.positions[:3, 0] = [np.nextafter(edge, 0), edge - 2**-34, 2**-34]
    with writing_frames(tmp_path / "a.gsd", FORMATS["gsd"], Contents("lj", COLUMNS)) as write:
        write(frame)
    (seen,) = gsd_by_gsd(tmp_path / "a.gsd")
    assert (np.abs(seen.positions) <= np.diag(seen.box) / 2).all()
    whole = seen.positions + np.diag(seen.box) / 2 + seen.image @ seen.box
    np.testing.assert_allclose(whole, frame.positions + frame.image @ frame.box, atol=1e-4)
