# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 07 Exercises: what a few runs can tell
#
# Four functions and two tasks for pen and paper, about 50 minutes. With the first three you compare two methods without
# fooling yourself; the fourth says how long learning took. The lesson is
# [07 Can you trust this curve?](../notebooks/07_trustworthy_experiments.ipynb).
#
# As before: write, run, check. `hint("bootstrap_interval")` gives the next hint, `solution("bootstrap_interval")` says how to
# see a solution; the [exercises of unit 00](00_welcome.ipynb) explain the checks. Each function returns numbers: 0-d tensors
# and Python floats are both fine.

# %%
import torch

from pgcourse.checks import check, hint, solution

# %% [markdown]
# ## Exercise 1: the interquartile mean
#
# *1 point, about 6 minutes, difficulty 1 of 3.*
#
# Ten runs, ten results. One run in ten is lucky or broken, and the mean follows it. The median does not, but it looks at two
# runs and throws eight away. Between them stands the mean of the middle half.


# %% nbgrader={"grade": false, "grade_id": "interquartile_mean", "locked": false, "schema_version": 3, "solution": true, "task": false}
def interquartile_mean(x):
    """Mean of the middle half: a quarter of the numbers is left out below and a quarter above.

    x: [R], results of R runs in any order, float32 or float64. In the check R is divisible by 4, so that a quarter is a whole
    number of runs. Equal results are runs like any others: exactly half of the R runs is kept.
    Returns one number, in units of x. x itself stays as it is.

    Example: [1, 100, 0, 3] gives 2, the mean of 1 and 3. The mean of all four is 26.
    """
    ### BEGIN SOLUTION
    quarter = len(x) // 4
    return x.sort().values[quarter : len(x) - quarter].mean()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-interquartile_mean", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false} tags=["nbval-check-output"]
check("interquartile_mean", interquartile_mean)
### BEGIN HIDDEN TESTS
from pgcourse.checks import run

assert run("interquartile_mean", interquartile_mean).status == "correct"
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 2: the bootstrap interval
#
# *3 points, about 15 minutes, difficulty 2 of 3.*
#
# How far would your figure move with ten other seeds? You have no ten other seeds. The bootstrap takes the runs you have for
# all the runs there could be and repeats the experiment inside of them: draw R runs with replacement, take the statistic, and
# do it again. The spread of these results is the spread you asked for, as well as R runs can tell. {{# mathematics}}


# %% nbgrader={"grade": false, "grade_id": "bootstrap_interval", "locked": false, "schema_version": 3, "solution": true, "task": false}
def bootstrap_interval(x, *, statistic, confidence, num_resamples, generator):
    """Percentile bootstrap: between which two numbers the statistic of a repeated experiment would mostly lie.

    x: [R], results of R runs, float32 or float64; x itself stays as it is. statistic: a function of a 1-D tensor that gives one
    number as a 0-d tensor, such as torch.mean. confidence: a share between 0 and 1, say 0.95. num_resamples: how often x is
    resampled. generator: torch.Generator; the draws come from it and from nothing else, so that a figure can be repeated.

    A resample holds R numbers drawn from x with replacement, and each gives one statistic. Equal results are runs like any
    others. The interval leaves out the share (1 - confidence) / 2 of these statistics below, and as much above. Any of the
    usual definitions of a quantile will do. Returns (low, high), two numbers in units of the statistic.

    Example: x = [0, 10] has four equally likely resamples, [0, 0], [0, 10], [10, 0] and [10, 10], with the means 0, 5, 5 and 10.
    With confidence 0.9 the interval of the mean is (0, 10); with confidence 0.1 it is (5, 5).
    """
    ### BEGIN SOLUTION
    picks = torch.randint(len(x), (num_resamples, len(x)), generator=generator)  # [K, R], with replacement
    values = torch.stack([statistic(x[pick]) for pick in picks])  # [K]
    tail = (1 - confidence) / 2
    return values.quantile(tail), values.quantile(1 - tail)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-bootstrap_interval", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false} tags=["nbval-check-output"]
check("bootstrap_interval", bootstrap_interval)
### BEGIN HIDDEN TESTS
from pgcourse.checks import run

assert run("bootstrap_interval", bootstrap_interval).status == "correct"
### END HIDDEN TESTS

# %% [markdown]
# ## Find the four mistakes
#
# *No points, 6 minutes.* A report says:
#
# > We trained PPO and our variant with seeds 0 to 4 each and let each agent play one evaluation episode after every update. For
# > each run we report the best of these scores. PPO reached 431 ± 62, our variant 478 ± 21 (mean and standard deviation of the
# > runs), so our variant is better with a confidence of 95 %. When we tried a learning rate twice as high, one run of our variant
# > diverged; we repeated it with seed 5. {{# question}}
#
# Name four things that make this claim weaker than it sounds, and say for each what you would report instead. {{# question}}
#
# *Your answer: (double-click here and write)*
#
# <details><summary>A model answer</summary>
#
# 1. *The best of many one-episode scores.* The maximum of a hundred noisy numbers is high for a poor agent too, and the more
#    often one looks the higher it gets. Report the mean over many episodes from held-out start states, at a point in training
#    fixed beforehand.
# 2. *The standard deviation is no interval of the mean.* It says how much runs differ, and gives no confidence of 95 % for a
#    comparison. Report a bootstrap interval of the interquartile mean, and the probability of improvement with its interval.
# 3. *Five seeds.* With five runs each there are 25 pairs; one lucky run moves five of them. Run at least ten, a number
#    chosen beforehand, and compute the interval of the difference.
# 4. *The diverged run was replaced.* Runs that fail are results. Keep every seed that was started, and choose the seeds before
#    you see the results. {{# advice}}
#
# </details>
#
# ## Exercise 3: the probability of improvement
#
# *1 point, about 8 minutes, difficulty 1 of 3.*
#
# "Better on average" can be the work of one run. A question with a plainer answer: if you train once with X and once with Y,
# how often does X win? {{# question}}


# %% nbgrader={"grade": false, "grade_id": "probability_of_improvement", "locked": false, "schema_version": 3, "solution": true, "task": false}
def probability_of_improvement(x, y):
    """How often a run of X beats a run of Y: P(X > Y) + 1/2 P(X = Y), over all pairs of one run each.

    x: [R], y: [S], results of independent runs; R and S may differ, and the order of the runs means nothing. Both stay as they
    are. Returns one number from 0 to 1: 0.5 for two methods that are alike, also where all results are equal.

    Example: x = [3, 1] and y = [2, 0] give 0.75: of the four pairs X wins three (3 against 2, 3 against 0, 1 against 0).
    x = [1, 2] and y = [2] give 0.25, one tie in two pairs.
    """
    ### BEGIN SOLUTION
    wins = x[:, None] > y[None, :]  # [R, S]
    ties = x[:, None] == y[None, :]
    return (wins.double() + 0.5 * ties.double()).mean()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-probability_of_improvement", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false} tags=["nbval-check-output"]
check("probability_of_improvement", probability_of_improvement)
### BEGIN HIDDEN TESTS
from pgcourse.checks import run

assert run("probability_of_improvement", probability_of_improvement).status == "correct"
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 4: episodes to a threshold
#
# *1 point, about 10 minutes, difficulty 2 of 3.*
#
# Gymnasium calls CartPole-v1 solved at 475, as the mean of the last 100 episodes. Counting until then turns a curve into one
# number for each run. The boundaries are where programs differ: what counts before there are 100 episodes, and what a run gets
# that never arrives?


# %% nbgrader={"grade": false, "grade_id": "episodes_to_threshold", "locked": false, "schema_version": 3, "solution": true, "task": false}
def episodes_to_threshold(episodic_returns, *, threshold, window):
    """Number of episodes played when the mean of the last `window` of them first reaches the threshold.

    episodic_returns: [E], in the order in which the episodes ended; it stays as it is. threshold: float, in units of return; a
    mean equal to it has reached it. window: int, at least 1. Only full windows count: with fewer than `window` episodes, or
    none at all, nothing has been reached.
    Returns a whole number from window to E, or None where no window reaches the threshold. What comes later, better or worse,
    changes nothing.

    Example: returns [1, 5, 6, 7], threshold 5 and window 2 give 3: the means after 2, 3 and 4 episodes are 3, 5.5 and 6.5.
    """
    ### BEGIN SOLUTION
    for played in range(window, len(episodic_returns) + 1):
        if episodic_returns[played - window : played].mean() >= threshold:
            return played
    return None
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-episodes_to_threshold", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false} tags=["nbval-check-output"]
check("episodes_to_threshold", episodes_to_threshold)
### BEGIN HIDDEN TESTS
from pgcourse.checks import run

assert run("episodes_to_threshold", episodes_to_threshold).status == "correct"
### END HIDDEN TESTS

# %% [markdown]
# ## Choose and justify
#
# *No points, 5 minutes.* For each question choose one: (a) interquartile mean of the final return with a bootstrap interval, (b)
# probability of improvement, (c) episodes to a threshold, (d) standard deviation over the runs. Say why in one sentence, and
# which of the four you would never use alone to claim that a method is better. {{# question}}
#
# 1. A robot's controller is trained once and then built into the product. Which of two methods should train it?
# 2. Both methods end at 500 on CartPole. Does either get there sooner?
# 3. A paper wants one number for each of ten methods, with an interval, that a single broken run cannot move.
# 4. Somebody asks how different your result could be if they ran your code once, with another seed. {{# question}}
#
# *Your answer: (double-click here and write)*
#
# <details><summary>A model answer</summary>
#
# 1. (b): there will be one run of one of them, so what counts is how often one run beats another.
# 2. (c): the end is the same for both and tells nothing; the time to get there does. Some runs may never arrive: they belong
#    into the count, as "never", and are not left out of an average.
# 3. (a): robust against one run, and the interval says how far it can be trusted.
# 4. (d), or better the range of the runs themselves: the question is about single runs, not about their mean. {{# mathematics}}
#
# Never (d) alone: a standard deviation describes runs, and more runs do not make it smaller. A claim about which method is better
# needs an interval that does become narrower. {{# mathematics}}
#
# </details>
#
# **Next**: unit 08, where the step of a policy is limited for good: TRPO, with conjugate gradient and a line search of your own.
