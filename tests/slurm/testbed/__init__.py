"""A real SLURM on this machine, for tests: munge, a controller, and nodes with made-up cores."""

from testbed.bed import Job, SlurmBed, missing_programs

__all__ = ["Job", "SlurmBed", "missing_programs"]
