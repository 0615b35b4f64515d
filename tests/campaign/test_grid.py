"""Points and runs follow from values, however and wherever they are written."""

import math

from hypothesis import given
from hypothesis import strategies as st

from glasscreep.campaign.file import Campaign
from glasscreep.campaign.grid import Point, union
from glasscreep.tasks.physics import identity

temperatures = st.floats(1e-3, 10) | st.integers(1, 10)
stresses = st.floats(-10, 10) | st.integers(-10, 10)
grids = st.lists(
    st.fixed_dictionaries(
        {
            "temperature": temperatures | st.lists(temperatures, min_size=1, max_size=4),
            "stress": stresses | st.lists(stresses, min_size=1, max_size=4),
        }
    ),
    min_size=1,
    max_size=4,
)


def campaign(grid, **others):
    return Campaign.model_validate({"name": "x", "replicas": 2, "grid": grid, **others})


def ids(grid, **others):
    return [run.id for run in campaign(grid, **others).runs()]


def listed(values):
    return values if isinstance(values, list) else [values]


@given(grids)
def test_the_points_are_the_union_of_products(grid):
    pairs = {
        (float(temperature), float(stress))
        for entry in grid
        for temperature in listed(entry["temperature"])
        for stress in listed(entry["stress"])
    }
    points = campaign(grid).points()
    assert len(points) == len(pairs)
    assert {(point.temperature, point.stress) for point in points} == pairs


@given(grids, st.randoms(use_true_random=False))
def test_the_order_of_grids_and_values_does_not_matter(grid, random):
    mixed = [
        {key: random.sample(listed(values), len(listed(values))) for key, values in entry.items()}
        for entry in random.sample(grid, len(grid))
    ]
    assert ids(mixed + grid[:1]) == ids(grid)


@given(st.integers(1, 1000), st.integers(-1000, 1000))
def test_the_spelling_of_numbers_does_not_matter(temperature, stress):
    whole = {"temperature": temperature, "stress": stress}
    real = {"temperature": [float(temperature)], "stress": [float(stress)]}
    assert ids([whole]) == ids([real]) == ids([whole, real])


def test_negative_zero_is_zero():
    (point,) = campaign([{"temperature": 1, "stress": [-0.0, 0.0, 0]}]).points()
    assert math.copysign(1, point.stress) == 1
    assert ids([{"temperature": 1, "stress": -0.0}]) == ids([{"temperature": 1, "stress": 0}])


@given(grids)
def test_ids_equal_those_of_the_physics(grid):
    runs = campaign(grid).runs()
    assert [identity(run.physics) for run in runs] == [run.id for run in runs]
    assert [identity(run.physics.glass) for run in runs] == [run.glass.id for run in runs]
    assert len({run.id for run in runs}) == len(runs)


GRID = [{"temperature": 0.1, "stress": 0.5}]


def test_the_length_of_runs_and_resources_do_not_change_ids():
    longer = {"creep": {"steps": 2 * 10**7}, "resources": {"ranks": 4}, "name": "y"}
    assert ids(GRID, **longer) == ids(GRID)


def test_physics_changes_ids():
    changes = [
        {"seed": 5},
        {"model": {"density": 1.25}},
        {"model": {"sigma": {"AB": 0.81}}},
        {"glass": {"melt_steps": 1000}},
        {"creep": {"axis": "x"}},
        {"creep": {"frame_interval": 20_000}},
    ]
    assert len({ids(GRID, **change)[0] for change in [{}, *changes]}) == len(changes) + 1


def test_runs_go_replica_by_replica_and_point_by_point():
    runs = campaign([{"temperature": [2, 1], "stress": [4, 3]}]).runs()
    points = [Point(1, 3), Point(1, 4), Point(2, 3), Point(2, 4)]
    assert [(run.replica, run.point) for run in runs] == [
        (replica, point) for replica in (0, 1) for point in points
    ]


def test_more_replicas_keep_the_runs_there_are():
    assert ids(GRID, replicas=5)[:2] == ids(GRID, replicas=2)


def test_a_union_of_nothing_is_empty():
    assert union([]) == ()
