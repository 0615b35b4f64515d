"""What is written is read by independent programs, equal to the precision of each format."""

from importlib.util import find_spec

import numpy as np
import other_programs as other
import pytest
from other_programs import FLOAT32
from writer_contract import KeepsFilesWhole, WriterContract

PARTICLES = {"step", "positions", "box", "ids", "species"}
ALL = PARTICLES | {"time", "image", "values", "names"}


class TestExtendedXyzByAse(WriterContract, KeepsFilesWhole):
    form, ending, has = "extxyz", ".xyz", ALL
    read = staticmethod(other.extended_xyz_by_ase)


class TestCompressedExtendedXyzByAse(WriterContract):
    form, ending, has = "extxyz", ".extxyz.gz", ALL
    read = staticmethod(other.extended_xyz_by_ase)


class OfDumps(WriterContract):
    form, box_atol = "dump", 1e-13

    def demand_values(self, seen, values):
        for name, known in values.items():
            names = [f"v_{name}"] if known.ndim == 1 else [f"v_{name}[1]", f"v_{name}[2]"]
            got = np.stack([seen[name] for name in names], axis=-1).reshape(known.shape)
            np.testing.assert_array_equal(got.astype(known.dtype), known, err_msg=name)


class TestDumpByAse(OfDumps, KeepsFilesWhole):
    ending, has = ".dump", {"step", "positions", "box", "species", "values"}
    read = staticmethod(other.dump_by_ase)


class TestCompressedDumpByAse(OfDumps):
    ending, has = ".lammpstrj.gz", {"step", "positions", "box", "species", "values"}
    read = staticmethod(other.dump_by_ase)


class TestDumpByMdanalysis(OfDumps):
    ending, has, atol, box_atol = ".lammpstrj", PARTICLES, FLOAT32, FLOAT32
    read = staticmethod(other.dump_by_mdanalysis)


class TestDataByAse(WriterContract, KeepsFilesWhole):
    form, ending, has = "data", ".data", PARTICLES
    read = staticmethod(other.data_by_ase)


class TestDataByMdanalysis(WriterContract):
    form, ending, has, atol, box_atol = "data", ".data", PARTICLES, FLOAT32, FLOAT32
    read = staticmethod(other.data_by_mdanalysis)


class TestDataByLammps(WriterContract):
    # LAMMPS puts particles through fractions of the box where it leans.
    form, ending, has, atol = "data", ".data", PARTICLES | {"image"}, 1e-13
    read = staticmethod(other.data_by_lammps)


class OfGsd(WriterContract):
    form, ending, atol, box_atol = "gsd", ".gsd", FLOAT32, FLOAT32

    def shift(self, frame):
        return -frame.box.sum(axis=0) / 2


class TestGsdByGsd(OfGsd, KeepsFilesWhole):
    has = ALL
    read = staticmethod(other.gsd_by_gsd)


class TestGsdByMdanalysis(OfGsd):
    leaning = (False,)  # MDAnalysis 2.11 takes the tilts in GSD for cosines of angles
    has = frozenset({"step", "positions", "box", "species"})
    read = staticmethod(other.gsd_by_mdanalysis)


class TestH5mdByH5py(WriterContract, KeepsFilesWhole):
    form, ending, has = "h5md", ".h5md", ALL
    read = staticmethod(other.h5md_by_h5py)


class TestH5mdByMdanalysis(WriterContract):
    form, ending, atol, box_atol = "h5md", ".h5md", FLOAT32, FLOAT32
    has = frozenset({"step", "positions", "box", "time"})
    read = staticmethod(other.h5md_by_mdanalysis)


class ByOvito:
    """OVITO, which comes with what benchmarks take."""

    pytestmark = [  # noqa: RUF012 - pytest takes no tuple
        pytest.mark.long,
        pytest.mark.skipif(find_spec("ovito") is None, reason="OVITO is not installed"),
    ]
    read = staticmethod(other.by_ovito)


class TestExtendedXyzByOvito(ByOvito, WriterContract):
    form, ending, has, atol, box_atol = "extxyz", ".xyz", PARTICLES, 1e-13, 1e-13


class TestDumpByOvito(ByOvito, OfDumps):
    ending, has, atol = ".dump", PARTICLES | {"image"}, 1e-13


class TestDataByOvito(ByOvito, WriterContract):
    form, ending, has, atol, box_atol = "data", ".data", PARTICLES | {"image"}, 1e-13, 1e-13


class TestGsdByOvito(ByOvito, OfGsd):
    has = frozenset({"step", "positions", "box", "species", "image"})

    def shift(self, _frame):
        return 0.0  # the corner is taken away where it is read
