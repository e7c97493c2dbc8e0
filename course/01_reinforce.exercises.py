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
# # 01 Exercises: write REINFORCE
#
# Five functions, about 70 minutes. Each is a part of the algorithm; the fifth puts the others together, and at the end
# your code trains an agent on CartPole. The lesson is [01 REINFORCE](../notebooks/01_reinforce.ipynb).
#
# As before: write, run, check. `hint("standardize")` gives the next hint, `solution("standardize")` says how to see a
# solution; the [exercises of unit 00](00_welcome.ipynb) explain the checks.

# %%
import torch
from torch import nn

from pgcourse.checks import check, hint, solution
from pgcourse.show import finale

# %% [markdown]
# ## Exercise 1: discounted returns
#
# *2 points, about 10 minutes, difficulty 1 of 3.*
#
# How good was it to be at step t? Count what came afterwards, later rewards a little less. Every weight in this course
# starts from this number. {{# design}}


# %% nbgrader={"grade": false, "grade_id": "discounted_returns", "locked": false, "schema_version": 3, "solution": true, "task": false}
def discounted_returns(rewards, *, gamma):
    """The return of every step: its reward, plus gamma times the return of the next step; after the last comes nothing.

    rewards: [T] or [T, N], time first; each column is one complete episode. gamma: float from 0 to 1, both included.
    Returns a new tensor of the same shape and dtype (float32 or float64); the rewards stay as they are. T may be 1.

    Example: rewards [1, 2, 3] with gamma = 0.5 give [2.75, 3.5, 3].
    """
    ### BEGIN SOLUTION
    returns = torch.empty_like(rewards)
    following = torch.zeros_like(rewards[0])
    for t in reversed(range(len(rewards))):
        following = rewards[t] + gamma * following
        returns[t] = following
    return returns
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-discounted_returns", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false} tags=["nbval-check-output"]
check("discounted_returns", discounted_returns)
### BEGIN HIDDEN TESTS
from pgcourse.checks import run

assert run("discounted_returns", discounted_returns).status == "correct"
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 2: standardise
#
# *1 point, about 8 minutes, difficulty 1 of 3.*
#
# In CartPole every return is positive, so every action would be pushed up. Measured against the batch's mean, and in units
# of its standard deviation, some of them become discouragements, and one learning rate fits short and long episodes.


# %% nbgrader={"grade": false, "grade_id": "standardize", "locked": false, "schema_version": 3, "solution": true, "task": false}
def standardize(x):
    """Shift and scale x so that all its elements together have mean 0 and standard deviation 1.

    x: any shape of at least one axis, float32 or float64. Returns a new tensor of the same shape and dtype; x stays as it
    is. The standard deviation may be the biased or the unbiased one. 1e-8, beside it or beside its square, keeps the
    division finite: where all elements equal their computed mean, as a single one does, the result is 0 everywhere.

    Example: [1, 3] gives [-1, 1] with the biased standard deviation (and [-0.707, 0.707] with the unbiased one).
    """
    ### BEGIN SOLUTION
    centred = x - x.mean()
    return centred / (x.std(correction=0) + 1e-8)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-standardize", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false} tags=["nbval-check-output"]
check("standardize", standardize)
### BEGIN HIDDEN TESTS
from pgcourse.checks import run

assert run("standardize", standardize).status == "correct"
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 3: the loss, and find the bugs
#
# *2 points, about 8 minutes, difficulty 1 of 3.*
#
# Optimizers minimise a scalar. The score-function estimate turns into one whose gradient is minus the policy gradient. Here
# is a version that somebody wrote in a hurry:
#
# ```python
# def reinforce_loss(log_prob, weight):
#     return (weight * torch.exp(log_prob)).sum()
# ```
#
# It runs without an error, and it has four mistakes. Find them, then write your own. The docstring says what is wanted.


# %% nbgrader={"grade": false, "grade_id": "reinforce_loss", "locked": false, "schema_version": 3, "solution": true, "task": false}
def reinforce_loss(log_prob, weight):
    """Minus the mean over steps of weight times log-probability.

    log_prob: [B], differentiable, log-probabilities of the actions that were taken. weight: [B], how good each turned out.
    Returns a scalar tensor (0-d). Its gradient flows into log_prob and not into weight, which counts as a constant. The
    inputs stay as they are.

    Example: log_prob [-1, -2] and weight [3, 1] give 2.5, from -(3 * -1 + 1 * -2) / 2.
    """
    ### BEGIN SOLUTION
    return -(weight.detach() * log_prob).mean()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-reinforce_loss", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false} tags=["nbval-check-output"]
check("reinforce_loss", reinforce_loss)
### BEGIN HIDDEN TESTS
from pgcourse.checks import run

assert run("reinforce_loss", reinforce_loss).status == "correct"
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>The four mistakes</summary>
#
# 1. No minus: the optimizer would make good actions rarer. 2. A sum, so the step grows with the batch. 3. `exp` turns the
# log-probability back into a probability, so likely actions count twice. 4. `weight` is not detached: harmless while it is
# data, wrong as soon as a network computes it (unit 02). Mistake 1 shows at once in the return, 2 and 3 change the size
# and the direction of the step, 4 does nothing until it matters. {{# mathematics}}
#
# </details>

# %% [markdown]
# ## Exercise 4: a policy network
#
# *2 points, about 15 minutes, difficulty 2 of 3.*
#
# A network in, a distribution out. An untrained policy should try everything: with torch's default weights it starts with
# opinions that nobody taught it.


# %% nbgrader={"grade": false, "grade_id": "policy_network", "locked": false, "schema_version": 3, "solution": true, "task": false}
def policy_network(obs_dim, num_actions):
    """A new, trainable policy for observations of obs_dim numbers and num_actions actions.

    Returns an nn.Module, of which every parameter takes part and, but for fixed buffers, nothing else decides. Called
    with observations [B, obs_dim], or with a single one [obs_dim], it returns a torch.distributions.Categorical over the
    actions, with probabilities [B, num_actions] or [num_actions]. Each row depends on its own observation alone, and the
    observations stay as they are. Hidden layers are up to you, but every number of an observation counts, small changes
    included. A new network is near uniform: on a few dozen unit-normal observations, every probability lies within 0.1
    of 1 / num_actions. Training can make any action all but certain.

    Example: policy_network(4, 2)(torch.randn(32, 4)).probs has shape [32, 2] and numbers between 0.4 and 0.6.
    """
    ### BEGIN SOLUTION

    class Policy(nn.Module):
        def __init__(self):
            super().__init__()
            self.hidden = nn.Sequential(nn.Linear(obs_dim, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh())
            self.logits = nn.Linear(64, num_actions)
            nn.init.orthogonal_(self.logits.weight, gain=0.01)  # small, so that all logits start near 0
            nn.init.zeros_(self.logits.bias)

        def forward(self, obs):
            return torch.distributions.Categorical(logits=self.logits(self.hidden(obs)))

    return Policy()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-policy_network", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false} tags=["nbval-check-output"]
check("policy_network", policy_network)
### BEGIN HIDDEN TESTS
from pgcourse.checks import run

assert run("policy_network", policy_network).status == "correct"
### END HIDDEN TESTS

# %% [markdown]
# ## Choose and justify
#
# *No points, 5 minutes.* A batch has two complete episodes: one of 20 steps, one of 200. You can standardise the returns
# *within each episode* or *over all 220 steps*. Which one, and what is lost with the other? Write two sentences before you
# unfold the answer; the next exercise needs it.
#
# *Your answer: (double-click here and write)*
#
# <details><summary>A model answer</summary>
#
# *Over all steps.* Within each episode, the mean return of both becomes 0, so nothing says that the long episode was the
# better one: each only learns that its early steps (with much still to come) beat its late ones. Over all steps, most of
# the long episode's actions lie above the mean and most of the short one's below. {{# mathematics}}
#
# </details>

# %% [markdown]
# ## Exercise 5: the whole update
#
# *4 points, about 25 minutes, difficulty 3 of 3.*
#
# Everything comes together: returns for each episode, standardised over the batch, weights for the log-probabilities, one
# step of the optimiser. Use your own functions from above.


# %% nbgrader={"grade": false, "grade_id": "reinforce_update", "locked": false, "schema_version": 3, "solution": true, "task": false}
def reinforce_update(policy, optimizer, episodes, *, gamma):
    """One REINFORCE update on complete episodes that this policy has played.

    policy: nn.Module, observations [B, D] -> Categorical. optimizer: over the policy's parameters.
    episodes: list of Episode, each with the fields obs [T, D], actions [T] and rewards [T]; T differs between episodes, in all
    there are two steps or more, and they stay as they are. gamma: discount of the returns, from 0 to 1.

    The weight of a step is its discounted return within its own episode, standardised over all steps of all episodes (all
    equal: 0). The loss is the mean over all these steps. Takes exactly one optimiser step, with the gradient of this loss
    alone, not clipped (whatever gradients are left from before must not count). Returns the loss, as a Python float.

    Example: episodes with rewards [1] and [2, 4], gamma = 0.5: the returns 1, 4, 4 become the weights -1.414, 0.707, 0.707
    (biased) or -1.155, 0.577, 0.577 (unbiased); both are right.
    """
    ### BEGIN SOLUTION
    obs = torch.cat([episode.obs for episode in episodes])  # [B, D]
    actions = torch.cat([episode.actions for episode in episodes])  # [B]
    returns = torch.cat([discounted_returns(episode.rewards, gamma=gamma) for episode in episodes])  # [B]
    loss = reinforce_loss(policy(obs).log_prob(actions), standardize(returns))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-reinforce_update", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false} tags=["nbval-check-output"]
check("reinforce_update", reinforce_update)
### BEGIN HIDDEN TESTS
from pgcourse.checks import run

assert run("reinforce_update", reinforce_update).status == "correct"
### END HIDDEN TESTS

# %% [markdown]
# ## Finale: your agent
#
# Your network and your update in the real training loop, on CartPole. Your curve appears on the band of the reference's
# runs, and below it your agent. A function that is not written yet is named; a wrong one gives a curve all the same, and
# it is worth looking at. The cell runs for half a minute, on a busy machine for up to two.

# %%
finale.reinforce(policy_network=policy_network, reinforce_update=reinforce_update)

# %% [markdown]
# **Next**: unit 02, which asks what to subtract from the returns, and measures what that buys.
