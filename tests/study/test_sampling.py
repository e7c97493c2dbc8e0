"""Experiments drawn from a pool: shares that can be worked out by hand come out."""

import numpy as np
import pytest

from pgcourse import InvalidInput
from pgcourse.study import sampling

GENERATOR = np.random.default_rng


def test_experiments_hold_runs_of_the_pool_and_nothing_else() -> None:
    drawn = sampling.draw([1.0, 2.0, 3.0], 5, 100, GENERATOR(0))
    assert drawn.shape == (100, 5) and set(np.unique(drawn)) == {1.0, 2.0, 3.0}
    with pytest.raises(InvalidInput, match="0 runs"):
        sampling.draw([1.0], 0, 1, GENERATOR(0))


def test_with_one_seed_each_the_order_is_wrong_as_often_as_pairs_are() -> None:
    # Pairs of (worse, better): (0,1) right, (0,3) right, (2,1) wrong, (2,3) right: one in four.
    assert sampling.wrong_order([0.0, 2.0], [1.0, 3.0], 1) == pytest.approx(0.25, abs=0.02)
    assert sampling.wrong_order([1.0], [1.0], 3) == 0.5, "a tie is half a mistake"
    assert sampling.wrong_order([0.0, 1.0], [5.0, 6.0], 2) == 0.0


def test_more_seeds_make_fewer_wrong_orders() -> None:
    worse, better = GENERATOR(1).normal(0, 1, 40), GENERATOR(2).normal(0.7, 1, 40)
    shares = [sampling.wrong_order(worse, better, size) for size in (1, 5, 20)]
    assert shares[0] > shares[1] > shares[2]


def test_intervals_of_few_seeds_miss_more_often_than_they_say() -> None:
    pool = GENERATOR(3).normal(size=40)
    few, many = sampling.coverage(pool, 3), sampling.coverage(pool, 20)
    assert few < 0.85 and 0.88 < many <= 1.0 and sampling.coverage([7.0, 7.0], 3) == 1.0


def test_a_large_difference_is_found_and_no_difference_is_not() -> None:
    pool = GENERATOR(4).normal(size=40)
    assert sampling.told_apart(pool, pool + 10, 5) == 1.0 and sampling.told_apart(pool, pool, 20) < 0.1
    assert sampling.told_apart(pool + 10, pool, 5) == 0.0, "the wrong way round is no discovery"
