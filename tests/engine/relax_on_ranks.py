"""Relaxes a checkpoint on the ranks that this is run on: `relax_on_ranks.py CHECKPOINT OUT WAY`.

WAY is `whole`, or `interrupted` to have that happen.
"""

import json
import sys
from pathlib import Path

import numpy as np
from conftest import MODEL

from glasscreep.tasks.engine import Engine
from glasscreep.tasks.errors import Interrupted
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

    # It never gets that far: the next block of dynamics must find LAMMPS as it was.
    try:
        relax(engine, Aim(0.0, 0.0, TARGET), interrupted=second)
    except Interrupted as error:
        said = ranks.communicator.gather(str(error))
        if ranks.is_first:
            print(json.dumps({"said": said, "fixes": engine.lammps.available_ids("fix")}))


def whole(engine, out):
    relaxed = relax(engine, Aim(1e-7, 1e-7, TARGET))
    share = len(relaxed.configuration.position)
    shares = engine.ranks.communicator.gather(share)
    at = engine.on_first(relaxed.configuration)
    if engine.ranks.is_first:
        print(json.dumps(shares))
        values = {"position": at.position, "image": at.image, "lattice": at.cell.lattice}
        values |= {"energy": relaxed.potential_energy, "stress": relaxed.stress}
        np.savez(out, **values, evaluations=relaxed.force_evaluations, good=relaxed.is_relaxed)


def main():
    checkpoint, out, way = sys.argv[1:]
    engine = Engine(MODEL, Path(out).with_suffix(".log"), Ranks())
    engine.load(Path(checkpoint))
    engine.lean()
    if way == "whole":
        whole(engine, out)
    else:
        interrupted(engine)
    engine.close()


main()
