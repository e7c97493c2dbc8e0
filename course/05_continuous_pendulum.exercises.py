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
# # 05 Exercises: a policy for continuous actions
#
# Five exercises, about 90 minutes. The first three are what PPO needs to steer a motor, and at the end your policy swings up
# the Pendulum. The other two are tools that you will meet in other people's code: squashed actions and running statistics.
# The lesson is [05 Continuous control](../notebooks/05_continuous_pendulum.ipynb).
#
# As before: write, run, check. `hint("gaussian_log_prob")` gives the next hint, `solution("gaussian_log_prob")` says how to
# see a solution; the [exercises of unit 00](00_welcome.ipynb) explain the checks.

# %%
import math

import torch
from torch import nn
from torch.distributions import Independent, Normal

from pgcourse.checks import check, hint, solution
from pgcourse.show import finale

# %% [markdown]
# ## Exercise 1: log-density of an action
#
# *2 points, about 12 minutes, difficulty 2 of 3.*
#
# A torque has no probability, it has a density. The policy gradient does not mind: it needs the logarithm, as ever. An
# action may have several numbers, one for each joint of an arm, and still it is one action with one log-density.


# %% nbgrader={"grade": false, "grade_id": "gaussian_log_prob", "locked": false, "schema_version": 3, "solution": true, "task": false}
def gaussian_log_prob(mean, log_std, action):
    """Log-density of each action under a Gaussian with independent dimensions.

    mean: [B, A]. log_std: [A], or [B, A], the logarithm of the standard deviation. action: [B, A]. All float32 or all
    float64. Returns [B] in the same dtype, differentiable in mean and log_std: the log-densities of the A dimensions,
    summed. It must be right far from the mean too, where the density itself is rounded to 0. The inputs stay as they are.

    Example: mean [[0]], log_std [0] and action [[1]] give [-1/2 - log(2 pi)/2] = [-1.419]; mean [[1, -1]], log_std
    [0, log 2] and action [[2, 0]] give [-3.156].
    """
    ### BEGIN SOLUTION
    z = (action - mean) / log_std.exp()  # [B, A], in standard deviations
    log_prob = -0.5 * z.square() - log_std - 0.5 * math.log(2 * math.pi)  # [B, A]
    return log_prob.sum(dim=-1)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-gaussian_log_prob", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false} tags=["nbval-check-output"]
check("gaussian_log_prob", gaussian_log_prob)
### BEGIN HIDDEN TESTS
from pgcourse.checks import run

assert run("gaussian_log_prob", gaussian_log_prob).status == "correct"
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 2: entropy
#
# *1 point, about 10 minutes, difficulty 1 of 3.*
#
# How widely does the policy explore? The mean does not matter, only the spread. Unlike the entropy of a discrete policy this
# one may be negative: a density can be larger than 1. {{# mathematics}}


# %% nbgrader={"grade": false, "grade_id": "gaussian_entropy", "locked": false, "schema_version": 3, "solution": true, "task": false}
def gaussian_entropy(log_std):
    """Entropy in nats of a Gaussian with independent dimensions.

    log_std: [A] or [B, A], logarithms of the standard deviations, float32 or float64. Returns a scalar tensor (0-d) for
    [A], and [B] for [B, A], in the same dtype: the sum over the A dimensions, no mean over the batch. Differentiable in
    log_std, which stays as it is.

    Example: [0] gives log(2 pi e)/2 = 1.419, and [log 2, 0] gives 3.531.
    """
    ### BEGIN SOLUTION
    return (log_std + 0.5 * math.log(2 * math.pi * math.e)).sum(dim=-1)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-gaussian_entropy", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false} tags=["nbval-check-output"]
check("gaussian_entropy", gaussian_entropy)
### BEGIN HIDDEN TESTS
from pgcourse.checks import run

assert run("gaussian_entropy", gaussian_entropy).status == "correct"
### END HIDDEN TESTS

# %% [markdown]
# ## Fill in the shapes
#
# *No points, 4 minutes.* A robot arm has observations of 17 numbers and 6 joints. A minibatch holds B = 256 of its steps. Which
# shapes have
#
# 1. the policy's mean, 2. its log_std, 3. the actions, 4. `Normal(mean, std).log_prob(actions)`,
# 5. `Independent(Normal(mean, std), 1).log_prob(actions)`, 6. the advantages, 7. PPO's ratio?
#
# And the trap: with Pendulum, which has one torque, what is the shape of *ratio × advantages* if the policy returns a `Normal`
# without `Independent`?
#
# <details><summary>Answer</summary>
#
# 1. `[256, 6]`, 2. `[6]`, 3. `[256, 6]`, 4. `[256, 6]`, 5. `[256]`, 6. `[256]`, 7. `[256]`. With Pendulum the bare `Normal` gives
# log-probabilities `[256, 1]`; times advantages `[256]` that is `[256, 256]`, every action with every advantage, and no
# error. With the arm, `[256, 6]` times `[256]` fails at once. The harder task has the kinder bug.
#
# </details>

# %% [markdown]
# ## Exercise 3: a Gaussian policy
#
# *2 points, about 15 minutes, difficulty 2 of 3.*
#
# The network of unit 01 with another head: means instead of logits, and a spread that belongs to the policy, not to the
# observation.


# %% nbgrader={"grade": false, "grade_id": "gaussian_policy", "locked": false, "schema_version": 3, "solution": true, "task": false}
def gaussian_policy(obs_dim, action_dim):
    """A new, trainable policy for observations of obs_dim numbers and actions of action_dim numbers.

    Returns an nn.Module with a parameter called log_std of shape [action_dim]. Every parameter takes part and, but for
    fixed buffers, nothing else decides. Called with observations [B, obs_dim] it returns Independent(Normal(mean, std), 1)
    with mean [B, action_dim] from the network and std = exp(log_std), the same for every observation (you may clamp
    log_std to -5 to 2, or to a wider range). Each row depends on its own observation alone, and the observations stay as
    they are. Hidden layers are up to you, but every number of an observation counts, small changes included. Each mean
    is unbounded, with no tanh or clamp at the end, and follows from no other. A new policy has every mean within 0.1 of 0
    on unit-normal observations, and standard deviations from 0.3 to 2.

    Example: gaussian_policy(3, 1)(torch.randn(32, 3)).sample() has shape [32, 1], and its log_prob shape [32].
    """
    ### BEGIN SOLUTION

    class Policy(nn.Module):
        def __init__(self):
            super().__init__()
            self.hidden = nn.Sequential(nn.Linear(obs_dim, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh())
            self.mean = nn.Linear(64, action_dim)
            nn.init.orthogonal_(self.mean.weight, gain=0.01)  # small, so that all means start near 0
            nn.init.zeros_(self.mean.bias)
            self.log_std = nn.Parameter(torch.zeros(action_dim))  # a standard deviation of 1

        def forward(self, obs):
            return Independent(Normal(self.mean(self.hidden(obs)), self.log_std.exp()), 1)

    return Policy()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-gaussian_policy", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false} tags=["nbval-check-output"]
check("gaussian_policy", gaussian_policy)
### BEGIN HIDDEN TESTS
from pgcourse.checks import run

assert run("gaussian_policy", gaussian_policy).status == "correct"
### END HIDDEN TESTS

# %% [markdown]
# ## Choose and justify
#
# *No points, 6 minutes.* Pendulum takes torques from -2 to 2. A colleague reviews your code and writes:
#
# ```python
# def act(policy, obs):
#     distribution = policy(obs)
#     action = distribution.sample().clamp(-2, 2)
#     return action, distribution.log_prob(action)
# ```
#
# "The environment clips anyway, so this changes nothing, and the stored action is the one that was really taken." Choose *it
# changes nothing*, *it changes the gradient's noise* or *it pushes the policy even where all actions are equally good*, and
# write two sentences why. Then run the cell: it averages the score, the gradient of the log-density with respect to the mean,
# over many actions of a policy with mean 1.5 and standard deviation 1. If every reward is the same number $r$, REINFORCE's
# gradient is $r$ times this average.
#
# *Your answer: (double-click here and write)*

# %%
generator = torch.Generator().manual_seed(0)
sampled = 1.5 + torch.randn(100_000, generator=generator)
for name, action in (("as sampled", sampled), ("clipped first", sampled.clamp(-2, 2))):
    score = action - 1.5  # (action - mean) / std^2, with a standard deviation of 1
    print(f"{name:14} mean score {score.mean().item():+.3f}")

# %% [markdown]
# <details><summary>A model answer</summary>
#
# *It pushes the policy even where all actions are equally good.* The score of actions as sampled averages to 0: what lies above
# the mean pulls up as much as what lies below pulls down. Clipping cuts the upper side short, so the average is negative. With
# equal rewards $r$ the gradient is $r$ times that: for $r > 0$ the mean is pushed away from the limit, for $r < 0$ towards it,
# though no action is better than another. PPO's normalised advantages take such a constant away, but not the bias of the
# lesson's second case (section 4), where advantages and clipped samples go together. {{# mathematics}}
#
# </details>

# %% [markdown]
# ## Exercise 4: squashed actions
#
# *2 points, about 18 minutes, difficulty 3 of 3.*
#
# The other way to respect limits, which SAC uses: draw u from a Gaussian and act with a = tanh(u), always between -1 and 1.
# Then the density of a is not that of u. Two things go wrong in nearly every first version: the sign, and what happens at
# u = 10.


# %% nbgrader={"grade": false, "grade_id": "tanh_log_prob", "locked": false, "schema_version": 3, "solution": true, "task": false}
def tanh_log_prob(mean, log_std, pre_tanh_action):
    """Log-density of the action a = tanh(u), where u is Gaussian with independent dimensions.

    mean: [B, A]. log_std: [A], or [B, A]. pre_tanh_action: [B, A], u itself, before the tanh. All float32 or all float64.
    Returns [B] in the same dtype, differentiable in mean and log_std: the log-density of u, minus the logarithm of the
    slope of tanh at u, 1 - tanh(u)^2, for each dimension, summed. It must be finite and right for u from -10 to 10, in
    float32 as well. The inputs stay as they are.

    Example: mean [[0]], log_std [0] and u = [[log 2]] give [-0.713]: the log-density of u is -1.159, the action is 0.6,
    and the slope there 0.64, with logarithm -0.446.
    """
    ### BEGIN SOLUTION
    u = pre_tanh_action
    z = (u - mean) / log_std.exp()
    log_prob = -0.5 * z.square() - log_std - 0.5 * math.log(2 * math.pi)  # [B, A], of u
    # 1 - tanh(u)^2 = 4 / (e^u + e^-u)^2, whose logarithm needs no tanh: in float32 tanh(10) is exactly 1.
    log_slope = 2 * (math.log(2) - u - nn.functional.softplus(-2 * u))  # [B, A]
    return (log_prob - log_slope).sum(dim=-1)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-tanh_log_prob", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false} tags=["nbval-check-output"]
check("tanh_log_prob", tanh_log_prob)
### BEGIN HIDDEN TESTS
from pgcourse.checks import run

assert run("tanh_log_prob", tanh_log_prob).status == "correct"
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 5: running mean and variance
#
# *3 points, about 25 minutes, difficulty 3 of 3.*
#
# Pendulum's observation has a cosine and a sine, at most 1 in size, beside an angular velocity of up to 8. A robot's sensors
# differ by factors of thousands. So one normalises by the mean and variance of everything seen so far, and this
# "so far" grows with every batch. Keep the statistics, not the data.
#
# The new thing is how two groups of rows merge. Their means merge by the number of rows. Their spread is the spread within
# each group, weighted by its rows, **plus** what the distance between the two means adds. Derive that last term on paper,
# with the groups [1] and [3, 5, 9], before you write code. (Averaging the two variances forgets it; mean of squares minus
# square of the mean is right on paper and loses its digits in float32.)


# %% nbgrader={"grade": false, "grade_id": "RunningMeanStd", "locked": false, "schema_version": 3, "solution": true, "task": false}
class RunningMeanStd:
    """Mean and population variance, component by component, of all rows given to update so far.

    RunningMeanStd(shape): shape is a tuple, that of one row: (3,) for observations of 3 numbers, () for single numbers.
    update(x): takes in a batch x [B, *shape], where B may be 1 and may differ from call to call. Returns nothing.
    mean, var: attributes, tensors of this shape, in float32 or float64. However the rows are split into batches, both are
      the same as those of all rows at once, to a relative 1e-4, also where the data lie around 300 with a standard
      deviation of 1. Each row counts alike; var is divided by the number of rows, not by one less.
    normalize(x): (x - mean) / standard deviation for x [B, *shape], as a new tensor in the dtype of x (float32 or
      float64). It changes no statistics and clips nothing. Before any update it returns the numbers of x. A tiny number,
      1e-8 added to the variance or to its root, keeps it finite where a component has not varied.

    Example: after update([1]) and update([3, 5, 9]) the mean is 4.5 and the var 8.75; normalize([4.5]) is [0].
    """

    def __init__(self, shape):
        ### BEGIN SOLUTION
        self.count = 0
        self.mean = torch.zeros(shape)
        self.var = torch.ones(shape)
        ### END SOLUTION

    def update(self, x):
        ### BEGIN SOLUTION
        total = self.count + len(x)
        share = len(x) / total  # of the new rows among all
        shift = x.mean(dim=0) - self.mean  # from the old mean to the batch's
        within = (1 - share) * self.var + share * x.var(dim=0, correction=0)
        self.var = within + share * (1 - share) * shift.square()  # the last term: how far apart the two means are
        self.mean = self.mean + share * shift
        self.count = total
        ### END SOLUTION

    def normalize(self, x):
        ### BEGIN SOLUTION
        return ((x - self.mean) / (self.var + 1e-8).sqrt()).to(x.dtype)
        ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-RunningMeanStd", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false} tags=["nbval-check-output"]
check("RunningMeanStd", RunningMeanStd)
### BEGIN HIDDEN TESTS
from pgcourse.checks import run

assert run("RunningMeanStd", RunningMeanStd).status == "correct"
### END HIDDEN TESTS

# %% [markdown]
# ## Finale: your agent
#
# Your policy in the real PPO, on Pendulum. Your curve appears on the band of the reference's runs, and below it your agent beside
# one that acts at random. A function that is not written yet is named; a wrong one gives a curve all the same, and it is
# worth looking at.

# %%
finale.continuous_ppo(gaussian_policy=gaussian_policy)

# %% [markdown]
# **Next**: unit 06, where nothing is wrong with the ideas and the curve is flat all the same.
