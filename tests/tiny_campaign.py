"""A campaign that takes seconds, and what tells two campaign directories apart."""

from pathlib import Path

TINY = """
seed = 7
replicas = 2

[model]
particles = 400

[glass]
melt_steps = 200
quench_steps = 200
checkpoint_interval = 50

[creep]
steps = {steps}
frame_interval = 50
checkpoint_interval = 25

[[grid]]
temperature = [0.1, 0.3]
stress = {stress}
"""

SAME_BITS = """
accelerator = "opt"
neighbor_skin = 0.3
"""
"""At the end of [resources]: what is measured else, and may differ between campaigns."""


def contents(directory: Path) -> dict[str, bytes]:
    """Read every file of a campaign's store by its name, the provenance left out."""
    store = directory / "store.zarr"
    names = {str(path.relative_to(store)): path for path in store.rglob("*") if path.is_file()}
    return {
        name: path.read_bytes() for name, path in names.items() if not name.startswith("provenance")
    }
