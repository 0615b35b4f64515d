"""Relaxes a checkpoint on the ranks that this is run on: `relax_on_ranks.py CHECKPOINT OUT WAY`.

WAY is `whole`, `interrupted` or `broken` to have that happen, or `shares` to look at what each rank gets.
"""

import json
import sys
from pathlib import Path

import numpy as np
from conftest import MODEL

from glasscreep.tasks.engine import Engine
from glasscreep.tasks.errors import Interrupted
from glasscreep.tasks.exchange import all_on_first, shares_of_whole
from glasscreep.tasks.minimise import Aim
from glasscreep.tasks.ranks import Ranks
from glasscreep.tasks.relax import relax

TARGET = np.array([0.0, 0.5, 0.0, -0.3, np.nan, np.nan])


def interrupted(engine):
    """Tell on each rank how a relaxation ends that is interrupted at the second question."""
    ranks, asked = engine.ranks, []

    def second():
        asked.append(True)
        return ranks.first(lambda: len(asked) == 2)

    try:
        relax(engine, Aim(0.0, 0.0, TARGET), interrupted=second)
    except Interrupted as error:
        said = ranks.communicator.gather(str(error))
        if ranks.is_first:
            print(json.dumps({"said": said, "fixes": engine.lammps.available_ids("fix")}))


def break_one(engine, out):
    """Have the last rank fail where the others don't, and leave a file to tell that it did."""

    def fail():
        Path(out).touch()
        raise MemoryError

    if engine.ranks.number == engine.ranks.count - 1:
        engine.virial_stress = fail


def whole(engine, out):
    relaxed = relax(engine, Aim(1e-7, 1e-7, TARGET))
    share = len(relaxed.configuration.position)
    shares = engine.ranks.communicator.gather(share)
    at = engine.reshared(relaxed.configuration, all_on_first(MODEL.particles, engine.ranks.count))
    if engine.ranks.is_first:
        print(json.dumps(shares))
        values = {"position": at.position, "image": at.image, "lattice": at.cell.lattice}
        values |= {"energy": relaxed.potential_energy, "stress": relaxed.stress}
        np.savez(out, **values, evaluations=relaxed.force_evaluations, good=relaxed.is_relaxed)


def shares(engine):
    """Check that shares, dealt out anew by any bounds, are parts of the whole."""
    ranks, particles = engine.ranks, MODEL.particles
    by_blocks = shares_of_whole(particles, 200, ranks.count)
    whole = engine.reshared(engine.configuration(), all_on_first(particles, ranks.count))
    every = ranks.communicator.bcast((whole.position, whole.image))
    own = slice(by_blocks[ranks.number], by_blocks[ranks.number + 1])
    at = engine.reshared(engine.configuration(), by_blocks)
    np.testing.assert_array_equal(at.position, every[0][own])
    np.testing.assert_array_equal(at.image, every[1][own])
    counts = ranks.communicator.gather(len(at.position))
    if ranks.is_first:
        print(json.dumps(counts))


def main():
    checkpoint, out, way = sys.argv[1:]
    engine = Engine(MODEL, Path(out).with_suffix(".log"), Ranks())
    engine.load(Path(checkpoint))
    engine.lean()
    if way == "whole":
        whole(engine, out)
    elif way == "broken":
        break_one(engine, out)
        whole(engine, out)
    elif way == "shares":
        shares(engine)
    else:
        interrupted(engine)
    engine.close()


main()
