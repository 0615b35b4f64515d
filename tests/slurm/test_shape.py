"""Runs share an allocation so that no core and no memory is promised twice."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from glasscreep.slurm.shape import AllocationShape

counts = st.integers(1, 64)


@pytest.mark.parametrize(
    ("nodes", "cores", "ranks", "slots", "nodes_per_run", "ranks_per_node", "memory_mb"),
    [
        (1, 8, 1, 8, 1, 1, 1000),
        (1, 8, 2, 4, 1, 2, 2000),
        (1, 8, 3, 2, 1, 3, 4000),
        (3, 8, 2, 12, 1, 2, 2000),
        (2, 8, 8, 2, 1, 8, 8000),
        (2, 8, 9, 1, 2, 5, 8000),
        (2, 8, 16, 1, 2, 8, 8000),
        (5, 8, 16, 2, 2, 8, 8000),
    ],
)
def test_examples(nodes, cores, ranks, slots, nodes_per_run, ranks_per_node, memory_mb):
    shape = AllocationShape(nodes, cores, 8000, ranks)
    assert shape.slots == slots
    assert shape.nodes_per_run == nodes_per_run
    assert shape.ranks_per_node == ranks_per_node
    assert shape.memory_mb_per_node_of_run == memory_mb


@given(counts, counts, counts, st.integers(1, 10**6))
def test_nothing_is_promised_twice(nodes, cores, ranks, memory_mb):
    assume(ranks <= nodes * cores)
    shape = AllocationShape(nodes, cores, memory_mb, ranks)
    assert shape.slots >= 1
    assert shape.slots * ranks <= nodes * cores
    assert shape.nodes_per_run <= nodes
    assert shape.ranks_per_node <= cores
    assert shape.ranks_per_node * shape.nodes_per_run >= ranks
    runs_on_a_node = 1 if shape.nodes_per_run > 1 else -(-shape.slots // nodes)
    assert runs_on_a_node * shape.ranks_per_node <= cores
    assert runs_on_a_node * shape.memory_mb_per_node_of_run <= memory_mb
    assert shape.slots * shape.nodes_per_run <= runs_on_a_node * nodes


@given(counts, counts, counts)
def test_no_more_runs_would_fit(nodes, cores, ranks):
    assume(ranks <= nodes * cores)
    shape = AllocationShape(nodes, cores, 1000, ranks)
    if shape.nodes_per_run == 1:
        assert (shape.slots // nodes + 1) * ranks > cores
    else:
        assert (shape.slots + 1) * shape.nodes_per_run > nodes
        assert (shape.nodes_per_run - 1) * cores < ranks
