"""Statistics of runs: by hand, and against SciPy."""

import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from pgcourse import statistics as runs

# The same examples each time, and no clock: a busy machine is slow without being wrong.
settings.register_profile("steady", deadline=None, derandomize=True)
settings.load_profile("steady")

# Numbers of a width that keeps sums of them exact enough to compare.
numbers = st.floats(-1e6, 1e6, allow_subnormal=False)


def test_the_interquartile_mean_by_hand() -> None:
    assert runs.interquartile_mean([100, 2, 3, -50]) == 2.5  # the middle two of four
    # Five runs: a quarter is 1.25 runs, so 1/4 of the first and last is left of the second and fourth.
    assert runs.interquartile_mean([0, 4, 5, 8, 1000]) == pytest.approx((0.75 * 4 + 5 + 0.75 * 8) / 2.5)
    assert runs.interquartile_mean([7]) == 7


@given(st.integers(1, 6).flatmap(lambda k: st.lists(numbers, min_size=4 * k, max_size=4 * k)))
def test_the_interquartile_mean_is_scipys_trimmed_mean_where_quarters_are_whole(x: list[float]) -> None:
    assert runs.interquartile_mean(x) == pytest.approx(scipy.stats.trim_mean(x, 0.25), rel=1e-9, abs=1e-6)


@given(st.lists(numbers, min_size=1, max_size=15), st.integers(2, 4))
def test_repeating_every_run_leaves_the_interquartile_mean(x: list[float], times: int) -> None:
    """This is what the fractional weights are for; whole-number trimming jumps."""
    assert runs.interquartile_mean(x * times) == pytest.approx(runs.interquartile_mean(x), rel=1e-9, abs=1e-6)


def test_the_interquartile_mean_works_along_an_axis() -> None:
    x = np.arange(24.0).reshape(2, 3, 4)
    assert runs.interquartile_mean(x).shape == (2, 3)
    assert runs.interquartile_mean(x, axis=0).shape == (3, 4)
    np.testing.assert_array_equal(runs.interquartile_mean(x, axis=0), np.arange(12.0).reshape(3, 4) + 6)


def test_runs_that_never_got_there_count_only_once_they_reach_the_middle_half() -> None:
    assert runs.interquartile_mean([1, 2, 3, math.inf]) == 2.5
    assert runs.interquartile_mean([1, 2, math.inf, math.inf]) == math.inf
    assert runs.interquartile_mean([-math.inf, 1, 3, math.inf]) == 2


def test_an_interquartile_mean_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one run"):
        runs.interquartile_mean([])


def test_the_bootstrap_interval_agrees_with_scipys() -> None:
    x = np.random.default_rng(1).gamma(2.0, 50.0, size=20)
    ours = runs.bootstrap_interval(x, num_resamples=10_000)
    theirs = scipy.stats.bootstrap(
        (x,), runs.interquartile_mean, n_resamples=10_000, method="percentile", vectorized=True, rng=2
    )
    interval = theirs.confidence_interval
    # The Monte Carlo error of a tail quantile of 10,000 resamples is about 0.03 standard errors of the statistic.
    tolerance = 0.12 * theirs.standard_error
    assert ours == pytest.approx((interval.low, interval.high), abs=tolerance)


def test_the_bootstrap_interval_holds_the_mean_about_as_often_as_it_says() -> None:
    """200 samples of 30 normal numbers: 90 % asked for, and a percentile bootstrap of 30 gives a little less."""
    generator = np.random.default_rng(3)
    held = 0
    for _ in range(200):
        low, high = runs.bootstrap_interval(
            generator.normal(size=30), statistic=np.mean, confidence=0.9, num_resamples=300, generator=generator
        )
        held += low <= 0 <= high
    assert 0.80 <= held / 200 <= 0.96


def test_the_same_resampled_runs_serve_every_row() -> None:
    x = np.random.default_rng(4).normal(size=12)
    low, high = runs.bootstrap_interval(np.stack([x, x + 10, 2 * x]))
    alone = runs.bootstrap_interval(x)
    np.testing.assert_allclose(low, [alone[0], alone[0] + 10, 2 * alone[0]])
    np.testing.assert_allclose(high, [alone[1], alone[1] + 10, 2 * alone[1]])


def test_figures_reproduce_and_another_generator_moves_them() -> None:
    x = np.random.default_rng(5).normal(size=11)
    assert runs.bootstrap_interval(x) == runs.bootstrap_interval(x)
    assert runs.bootstrap_interval(x) != runs.bootstrap_interval(x, generator=np.random.default_rng(6))


def test_the_interval_of_runs_that_never_got_there_is_infinite_not_undefined() -> None:
    low, high = runs.bootstrap_interval([1, 2, 3, 4, 5, 6, 7, math.inf, math.inf, math.inf])
    assert 1 <= low < 7 and high == math.inf
    assert runs.bootstrap_interval([math.inf] * 5) == (math.inf, math.inf)


@pytest.mark.parametrize("confidence", [0, 1, 95, -0.5])
def test_a_confidence_that_is_no_probability_is_refused(confidence: float) -> None:
    with pytest.raises(ValueError, match="number between 0 and 1"):
        runs.bootstrap_interval([1, 2, 3], confidence=confidence)


def test_one_task_is_the_plain_bootstrap() -> None:
    x = np.random.default_rng(1).normal(size=12)
    assert runs.stratified_bootstrap_interval([x]) == pytest.approx(runs.bootstrap_interval(x))


def test_tasks_are_resampled_each_by_itself() -> None:
    """Two tasks without any noise of their own: no repeat of the experiment gives another mean. Mixed, it would."""
    tasks = [np.zeros(10), np.full(10, 100.0)]
    assert runs.stratified_bootstrap_interval(tasks, statistic=np.mean) == (50, 50)
    low, high = runs.bootstrap_interval(np.concatenate(tasks), statistic=np.mean)
    assert low < 40 < 60 < high


def test_the_stratified_interval_agrees_with_one_written_out() -> None:
    tasks = [np.random.default_rng(seed).gamma(2.0, scale, size=8) for seed, scale in enumerate((1.0, 4.0, 9.0))]
    generator = np.random.default_rng(7)
    picked = np.concatenate([task[generator.integers(8, size=(20_000, 8))] for task in tasks], axis=1)
    means = scipy.stats.trim_mean(picked, 0.25, axis=1)
    ours = runs.stratified_bootstrap_interval(tasks, num_resamples=20_000)
    assert ours == pytest.approx(tuple(np.quantile(means, [0.025, 0.975])), rel=0.02)


@pytest.mark.parametrize("tasks", [[], [[]], [[1.0], []], [[[1.0]]]])
def test_tasks_without_runs_are_refused(tasks: list) -> None:
    with pytest.raises(ValueError, match="non-empty array"):
        runs.stratified_bootstrap_interval(tasks)


def test_the_performance_profile_by_hand() -> None:
    profile = runs.performance_profile([10, 20, 20, 500], [0, 10, 19, 20, 499, 500])
    np.testing.assert_array_equal(profile, [1, 0.75, 0.75, 0.25, 0.25, 0])


def test_the_profile_of_each_row_is_one_minus_its_empirical_distribution() -> None:
    x = np.random.default_rng(3).normal(size=(2, 30))
    thresholds = np.linspace(-2, 2, 9)
    for row, profile in zip(x, runs.performance_profile(x, thresholds), strict=True):
        np.testing.assert_allclose(profile, 1 - scipy.stats.ecdf(row).cdf.evaluate(thresholds))
    low, high = runs.bootstrap_interval(x[0], statistic=lambda x, axis: runs.performance_profile(x, thresholds))
    assert low.shape == high.shape == (9,) and (low <= high).all()


def test_the_band_of_a_profile_over_tasks_agrees_with_one_written_out() -> None:
    """Agarwal et al. (2021), section 4.3: the share of all runs of all tasks above tau, runs resampled within each task."""
    tasks = [np.random.default_rng(seed).normal(seed, 1.0, size=6) for seed in range(3)]
    thresholds = [-0.5, 1.0, 2.5]
    generator = np.random.default_rng(11)
    shares = []
    for _ in range(4000):
        above = np.zeros(3)
        for task in tasks:
            for index in generator.integers(6, size=6):
                above += [float(task[index] > threshold) for threshold in thresholds]
        shares.append(above / 18)
    low, high = runs.stratified_bootstrap_interval(
        tasks, statistic=lambda x, axis: runs.performance_profile(x, thresholds), num_resamples=4000
    )
    np.testing.assert_allclose(low, np.quantile(shares, 0.025, axis=0), atol=1 / 18 + 1e-9)  # one run more or less
    np.testing.assert_allclose(high, np.quantile(shares, 0.975, axis=0), atol=1 / 18 + 1e-9)
    whole = runs.performance_profile(np.concatenate(tasks), thresholds)
    assert (low <= whole).all() and (whole <= high).all() and (low < high).any()


def test_the_probability_of_improvement_by_hand() -> None:
    # Pairs (3,1) (3,3) (5,1) (5,3): win, tie, win, win.
    assert runs.probability_of_improvement([3, 5], [1, 3]) == 3.5 / 4


@settings(max_examples=50)
@given(st.lists(st.integers(0, 9), min_size=1, max_size=8), st.lists(st.integers(0, 9), min_size=1, max_size=8))
def test_the_probability_of_improvement_is_mann_whitneys_u_per_pair(x: list[int], y: list[int]) -> None:
    u = scipy.stats.mannwhitneyu(x, y, method="asymptotic").statistic
    assert runs.probability_of_improvement(x, y) == pytest.approx(u / (len(x) * len(y)))
    assert runs.probability_of_improvement(x, y) + runs.probability_of_improvement(y, x) == pytest.approx(1)


def test_the_interval_of_an_improvement_holds_it_and_narrows_with_runs() -> None:
    x, y = np.arange(10.0), np.arange(10.0) + 2
    low, high = runs.improvement_interval(x, y)
    assert low < runs.probability_of_improvement(x, y) < high
    more_low, more_high = runs.improvement_interval(np.tile(x, 9), np.tile(y, 9))
    assert more_high - more_low == pytest.approx((high - low) / 3, rel=0.2), "nine times the runs, a third of the width"
    assert runs.improvement_interval([1, 2], [3, 4]) == (0, 0)


def test_the_moving_average_starts_with_what_there_is() -> None:
    assert runs.moving_average([2, 4, 9, 1], window=2).tolist() == [2, 3, 6.5, 5]
    assert runs.moving_average([2, 4], window=100).tolist() == [2, 3]
    assert runs.moving_average([], window=3).tolist() == []


def test_episodes_to_threshold_counts_the_episodes_played_by_then() -> None:
    # Means of the last two: 5, 10 and 10. It is reached when the third episode has been played.
    assert runs.episodes_to_threshold([0, 10, 10, 10], threshold=10, window=2) == 3
    assert runs.episodes_to_threshold([0, 10, 10, 10], threshold=5, window=2) == 2
    assert runs.episodes_to_threshold([10, 0, 0], threshold=10, window=1) == 1


def test_a_full_window_is_needed() -> None:
    assert runs.episodes_to_threshold([500] * 99, threshold=475, window=100) is None
    assert runs.episodes_to_threshold([500] * 100, threshold=475, window=100) == 100
    assert runs.episodes_to_threshold([], threshold=0, window=100) is None


def test_a_threshold_that_is_never_reached_gives_none_and_a_later_fall_does_not_matter() -> None:
    assert runs.episodes_to_threshold([474.99] * 300, threshold=475) is None
    assert runs.episodes_to_threshold([475.0] * 100 + [0.0] * 300, threshold=475) == 100
