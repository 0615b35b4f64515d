"""Numerics on arrays: no files, no Dask, no LAMMPS."""
