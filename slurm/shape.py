"""What an allocation has, and how runs of several ranks share it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AllocationShape:
    """Nodes of one allocation, and the runs that go on in it at a time."""

    nodes: int
    """Number of nodes."""
    cores: int
    """Cores of each node."""
    memory_mb: int
    """Memory of each node [MiB]."""
    ranks: int
    """MPI ranks of a run."""

    @property
    def nodes_per_run(self) -> int:
        """Nodes of a run: one if it fits there, else as few as hold it."""
        return -(-self.ranks // self.cores)

    @property
    def ranks_per_node(self) -> int:
        """Most ranks of a run on one node; they are spread evenly."""
        return -(-self.ranks // self.nodes_per_run)

    @property
    def slots(self) -> int:
        """Runs that go on at a time."""
        if self.nodes_per_run > 1:
            return self.nodes // self.nodes_per_run
        return self.nodes * (self.cores // self.ranks)

    @property
    def memory_mb_per_node_of_run(self) -> int:
        """Memory of a run on each of its nodes [MiB]."""
        runs_on_a_node = 1 if self.nodes_per_run > 1 else self.cores // self.ranks
        return self.memory_mb // runs_on_a_node
