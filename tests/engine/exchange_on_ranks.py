"""Deals random data out to the ranks that this is run on, and checks what arrives."""

import numpy as np
import pytest

from glasscreep.tasks.errors import DivergedError
from glasscreep.tasks.exchange import Route, even_shares, reshare
from glasscreep.tasks.ranks import Ranks

CASES = 40


def random_bounds(rng, particles, ranks):
    inner = np.sort(rng.integers(0, particles + 1, ranks - 1))
    return np.array([0, *inner, particles])


def share(values, bounds, ranks):
    return values[bounds[ranks.number] : bounds[ranks.number + 1]]


def check_reshare(rng, ranks, values):
    old, new = (random_bounds(rng, len(values), ranks.count) for _ in range(2))
    got = reshare(ranks, share(values, old, ranks), old, new)
    assert got.dtype == values.dtype
    np.testing.assert_array_equal(got, share(values, new, ranks))


def check_route(rng, ranks, values):
    particles = len(values)
    bounds = random_bounds(rng, particles, ranks.count)
    order, holder = rng.permutation(particles), rng.integers(0, ranks.count, particles)
    row = order[holder[order] == ranks.number]
    route = Route(ranks, bounds, row)
    owned = share(values, bounds, ranks)
    np.testing.assert_array_equal(route.to_owners(values[row]), owned)
    np.testing.assert_array_equal(route.to_holders(owned), values[row])
    out = np.empty_like(values[row])
    route.to_holders(owned, out=out)
    np.testing.assert_array_equal(out, values[row])


def check_losses(ranks):
    bounds = even_shares(100, ranks.count)
    row = np.arange(100)[ranks.number :: ranks.count]
    lost, twice = row[row != 17], np.where(row == 17, 18, row)
    with pytest.raises(DivergedError, match=r"^1 of 100 particles were lost$"):
        Route(ranks, bounds, lost)
    with pytest.raises(DivergedError, match=r"^2 of 100 particles were lost$"):
        Route(ranks, bounds, twice)
    with pytest.raises(DivergedError, match=r"^100 of 100 particles were lost$"):
        Route(ranks, bounds, row[:0])


def check_totals(rng, ranks):
    values = rng.normal(size=(ranks.count, 5)) * 10.0 ** rng.integers(-8, 8, (ranks.count, 1))
    total = np.zeros(5)
    for of_rank in values:  # in the order of the ranks
        total = total + of_rank
    np.testing.assert_array_equal(ranks.gathered(values[ranks.number]), values)
    np.testing.assert_array_equal(ranks.total(values[ranks.number]), total)


def main():
    ranks = Ranks()
    rng = np.random.default_rng(0)  # the same cases on all ranks
    for _ in range(CASES):
        particles = int(rng.integers(1, 300))
        for values in (
            rng.normal(size=(particles, 3)),
            rng.integers(-512, 512, (particles, 3)).astype(np.int16),
            rng.integers(0, 1000, particles),
        ):
            check_reshare(rng, ranks, values)
            check_route(rng, ranks, values)
        check_totals(rng, ranks)
    check_losses(ranks)
    if ranks.is_first:
        print(f"{ranks.count} ranks: all arrived")


main()
