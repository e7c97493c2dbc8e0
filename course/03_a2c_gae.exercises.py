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
# # 03 Exercises: an actor, a critic, and what lies between them
#
# Six functions, about 90 minutes. They are what A2C is made of: how good the critic is, how much one step surprised it, how
# to mix its guesses with real rewards, what to do where an episode ends, and the two losses. At the end your code trains an
# agent. The lesson is [03 Actor-critic, A2C and GAE](../notebooks/03_a2c_gae.ipynb).
#
# From here on, experience is a block `[T, N]`: T steps of N environments, time first. A column goes on over the ends of
# episodes. Two `bool` flags say what happened at each step: `terminated` (the episode is over) and `truncated` (somebody
# stopped watching).

# %%
import torch

from pgcourse.checks import check, hint, solution
from pgcourse.show import finale

# %% [markdown]
# ## Exercise 1: how much does the critic explain?
#
# *1 point, about 8 minutes, difficulty 1 of 3.*
#
# Everything in this unit leans on the critic's guesses, so you want one number that says how good they are. Does V account
# for the differences between returns, or would their mean have done as well?


# %% nbgrader={"grade": false, "grade_id": "explained_variance", "locked": false, "schema_version": 3, "solution": true, "task": false}
def explained_variance(values, returns):
    """The share of the variance of the returns that the critic explains: 1 - Var(returns - values) / Var(returns).

    values: [B], what the critic said. returns: [B], what came of it. Both float32 or both float64; they stay as they are.
    Returns a scalar (a 0-d tensor, or a Python float): 1 for a perfect critic, 0 for one no better than a constant, below
    0 for a worse one. The variance may be the biased or the unbiased one, the same in both places. What happens where all
    returns are equal is up to you: there is nothing to explain.

    Example: values [1, 2] and returns [1, 3] leave [0, 1]; its variance 1/4 against 1 gives 0.75.
    """
    ### BEGIN SOLUTION
    return 1 - (returns - values).var() / returns.var()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-explained_variance", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false} tags=["nbval-check-output"]
check("explained_variance", explained_variance)
### BEGIN HIDDEN TESTS
from pgcourse.checks import run

assert run("explained_variance", explained_variance).status == "correct"
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 2: one step's surprise
#
# *1 point, about 8 minutes, difficulty 1 of 3.*
#
# Before a step the critic guesses V(s). After it, one reward is a fact, and the rest is a guess again, from one step closer
# to the truth. The difference is the temporal-difference error. It is the shortest estimate of the advantage: it waits for one
# step.


# %% nbgrader={"grade": false, "grade_id": "td_errors", "locked": false, "schema_version": 3, "solution": true, "task": false}
def td_errors(rewards, values, next_values, terminated, *, gamma):
    """One-step temporal-difference errors: reward + gamma * next value - value, without a next value after a termination.

    rewards, values, next_values: [T, N], finite numbers, all float32 or all float64; values are of the state before the
    step, next_values of the true observation after it. terminated: [T, N], bool: True where the step ended the episode for
    good, so that nothing can follow. gamma: float from 0 to 1. Returns a new tensor [T, N] in the dtype of the rewards; the
    inputs stay as they are.

    Example: reward 1, value 2, next value 4 and gamma 0.5 give 1 + 0.5 * 4 - 2 = 1; with terminated they give 1 - 2 = -1.
    """
    ### BEGIN SOLUTION
    return rewards + gamma * next_values * ~terminated - values
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-td_errors", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false} tags=["nbval-check-output"]
check("td_errors", td_errors)
### BEGIN HIDDEN TESTS
from pgcourse.checks import run

assert run("td_errors", td_errors).status == "correct"
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 3: n steps, then the critic
#
# *3 points, about 20 minutes, difficulty 3 of 3.*
#
# One reward and a guess is biased wherever the critic is wrong; rewards to the very end are noisy. In between you may choose:
# n rewards, then a guess. The formula is short. The ends are the work: an episode may be over before n rewards, and so may
# the rollout.


# %% nbgrader={"grade": false, "grade_id": "n_step_returns", "locked": false, "schema_version": 3, "solution": true, "task": false}
def n_step_returns(rewards, next_values, terminated, truncated, *, gamma, n):
    """From every step: up to n discounted rewards of the same episode, then the discounted next value where they stop.

    rewards, next_values: [T, N], finite numbers, both float32 or both float64; next_values[t] is the value of the true
    observation after step t. terminated, truncated: [T, N], bool. gamma: float from 0 to 1. n: int, at least 1; it may
    exceed T.

    The window of step t takes rewards until it has n of them, until the episode ends (at a step with either flag, whose
    reward still counts), or until the rollout ends. After m rewards, the last of them at step k, it adds gamma**m times
    next_values[k], unless step k terminated. Where both flags are set, the step counts as terminated.
    Returns a new tensor [T, N] in the dtype of the rewards; the inputs stay as they are.

    Example: rewards [[1], [2], [4]], next_values [[8], [16], [32]], no ends, gamma = 0.5, n = 2 give [[6], [12], [20]]:
    1 + 0.5 * 2 + 0.25 * 16 = 6, and for the last step, which has one reward only, 4 + 0.5 * 32 = 20.
    """
    ### BEGIN SOLUTION
    bootstrap = next_values * ~terminated  # [T, N]: what lies after each step, as the critic sees it
    returns = rewards + gamma * bootstrap  # windows of one reward
    for _ in range(min(n, len(rewards)) - 1):
        following = torch.cat([returns[1:], bootstrap[-1:]])  # windows one reward longer, seen from the step before
        returns = rewards + gamma * torch.where(terminated | truncated, bootstrap, following)
    return returns
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-n_step_returns", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false} tags=["nbval-check-output"]
check("n_step_returns", n_step_returns)
### BEGIN HIDDEN TESTS
from pgcourse.checks import run

assert run("n_step_returns", n_step_returns).status == "correct"
### END HIDDEN TESTS

# %% [markdown]
# ## Fill in the table
#
# *No points, 5 minutes.* Before you write the next function, decide what it does at each kind of row. Copy the table into
# your answer and put *yes* or *no* into each empty field.
#
# | row t | use next_values[t]? | let the advantage of row t + 1 flow back to row t? |
# |---|---|---|
# | in the middle of an episode | | |
# | `terminated` | | |
# | `truncated` | | |
# | both flags | | |
# | last row of the rollout, no flag | | |
#
# *Your answer: (double-click here and write)*
#
# <details><summary>Answer</summary>
#
# In the middle: yes, yes. `terminated`: no, no. `truncated`: yes, no; the state has a future, but the next row is not it.
# Both flags: no, no. Last row: yes, and there is no row t + 1 (its advantage counts as 0). So the first column is "not
# terminated" and the second "neither flag": two masks. Code with a single `done` for both gets one of these rows wrong.
#
# </details>

# %% [markdown]
# ## Exercise 4: generalised advantage estimation
#
# *4 points, about 25 minutes, difficulty 3 of 3.*
#
# Why choose one n? GAE takes all of them, each weighted by a power of lambda, and the sum collapses into a recursion of one
# line. You have met its parts: the one-step errors of exercise 2 and the boundaries of exercise 3.


# %% nbgrader={"grade": false, "grade_id": "gae", "locked": false, "schema_version": 3, "solution": true, "task": false}
def gae(rewards, values, next_values, terminated, truncated, *, gamma, gae_lambda):
    """Generalised advantages: one-step errors, summed backwards with a decay of gamma * gae_lambda a step.

        error[t]     = rewards[t] + gamma * next_values[t] (0 where terminated) - values[t]
        advantage[t] = error[t] + gamma * gae_lambda * advantage[t + 1] (0 after an end, and after the last row)

    rewards, values, next_values: [T, N], finite numbers, all float32 or all float64; next_values[t] is the value of the
    true observation after step t. terminated, truncated: [T, N], bool; an episode ends where either is set, and where both
    are set the step counts as terminated. gamma, gae_lambda: floats from 0 to 1.
    Returns a new tensor [T, N] in the dtype of the rewards, detached: no gradient flows into values or next_values. The
    inputs stay as they are.

    Example: rewards [[1], [2]], values [[3], [6]], next_values [[6], [4]], no ends, gamma = gae_lambda = 0.5: the errors
    are 1 and -2, the advantages [[0.5], [-2]].
    """
    ### BEGIN SOLUTION
    with torch.no_grad():
        errors = td_errors(rewards, values, next_values, terminated, gamma=gamma)  # [T, N]
        goes_on = (~(terminated | truncated)).to(errors.dtype)  # [T, N]
        advantages = torch.zeros_like(errors)
        following = torch.zeros_like(errors[0])
        for t in reversed(range(len(errors))):
            following = errors[t] + gamma * gae_lambda * goes_on[t] * following
            advantages[t] = following
    return advantages
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-gae", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false} tags=["nbval-check-output"]
check("gae", gae)
### BEGIN HIDDEN TESTS
from pgcourse.checks import run

assert run("gae", gae).status == "correct"
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 5: the observation that was there
#
# *1 point, about 8 minutes, difficulty 1 of 3.*
#
# A vector environment resets itself. In Gymnasium's mode SAME_STEP, the step that ends an episode already returns the first
# observation of the next one, and the true last observation stands in `info["final_obs"]`. Feed the wrong one to the critic,
# and `next_values` is of another episode. Here is a collector with two mistakes:
#
# ```python
# next_obs, reward, terminated, truncated, info = envs.step(action)
# done = terminated | truncated
# next_obs[done] = info["final_obs"][done]
# next_value = critic(next_obs) * ~done
# action = policy(next_obs).sample()
# ```
#
# Find them, then write the function that such a collector should call.


# %% nbgrader={"grade": false, "grade_id": "true_next_observations", "locked": false, "schema_version": 3, "solution": true, "task": false}
def true_next_observations(next_obs, done, final_obs):
    """What each environment really showed after the step: the final observation where an episode ended, else next_obs.

    next_obs: [N, D], float32 or float64, as the step returned it: where an episode ended, the first observation of the next
    one. done: [N], bool, True where an episode ended, for whichever reason. final_obs: [N, D] in the dtype of next_obs: row n
    is the last observation of the episode of environment n, and means nothing where no episode ended; NaN may stand there.
    Returns a new tensor [N, D] in that dtype, also where nothing has ended; the inputs stay as they are, because the policy
    goes on to act on next_obs.

    Example: next_obs [[1, 2], [3, 4]], done [True, False] and final_obs [[5, 6], [7, 8]] give [[5, 6], [3, 4]].
    """
    ### BEGIN SOLUTION
    return torch.where(done[:, None], final_obs, next_obs)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-true_next_observations", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false} tags=["nbval-check-output"]
check("true_next_observations", true_next_observations)
### BEGIN HIDDEN TESTS
from pgcourse.checks import run

assert run("true_next_observations", true_next_observations).status == "correct"
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>The two mistakes</summary>
#
# 1. The third line writes into `next_obs`, and the last line acts on it: the policy chooses actions for episodes that are
# over, while the environments already play the next ones. 2. `~done` drops the value of truncated episodes too. They have
# a future; only `~terminated` may silence it.
#
# </details>

# %% [markdown]
# ## Put the lines in order
#
# *No points, 4 minutes.* One iteration of A2C, shuffled. Write down the letters in an order that works. One of the lines
# could stand in several places: which?
#
# - **A** `policy_loss, value_loss = a2c_losses(log_prob, advantages, values, returns, entropy, ent_coef=0.01)`
# - **B** `advantages = gae(rewards, old_values, next_values, terminated, truncated, gamma=0.99, gae_lambda=0.95)`
# - **C** step each optimiser along its own loss, each gradient clipped by its own norm
# - **D** let the policy act for T steps in N environments
# - **E** compute `log_prob`, `entropy` and `values` anew from the networks, now with gradients
# - **F** `returns = advantages + old_values`
# - **G** compute `old_values` and `next_values` with the critic, without gradients
#
# *Your answer: (double-click here and write)*
#
# <details><summary>A model answer</summary>
#
# D G B F E A C. E may stand anywhere between D and A: it needs only the observations and actions. Advantages and returns
# come from the critic as it was *before* this update; computed after C, they would judge the actions by a critic that has
# already been fitted to them. After C the batch is thrown away: it is experience of a policy that no longer exists.
# {{# wording}}
#
# </details>

# %% [markdown]
# ## Exercise 6: two losses
#
# *2 points, about 12 minutes, difficulty 2 of 3.*
#
# Two networks, two optimisers, two scalars. The policy should make good actions likelier and stay a little undecided; the
# critic should come closer to the returns. Neither should meddle with the other.


# %% nbgrader={"grade": false, "grade_id": "a2c_losses", "locked": false, "schema_version": 3, "solution": true, "task": false}
def a2c_losses(log_prob, advantages, values, returns, entropy, *, ent_coef):
    """The losses of policy and critic, as a pair (policy loss, value loss) of scalar tensors (0-d).

    Policy loss: minus the mean of advantage times log-probability, minus ent_coef times the mean entropy.
    Value loss: half the mean of (value - return) squared.

    All inputs are [B], all float32 or all float64, and stay as they are: log_prob of the actions taken, their advantages, the
    critic's values, the returns that it should predict, and the entropy of the policy in each state. ent_coef: float, at
    least 0. Both losses have the dtype of the inputs. Gradients flow into log_prob, entropy and values; advantages and
    returns count as constants and are used as they are given.

    Example: log_prob [-1, -2], advantages [3, -1], values [1, 5], returns [3, 1], entropy [0.5, 0.25], ent_coef 0.1 give
    0.5 - 0.1 * 0.375 = 0.4625 and (4 + 16) / 2 / 2 = 5.
    """
    ### BEGIN SOLUTION
    policy_loss = -(advantages.detach() * log_prob).mean() - ent_coef * entropy.mean()
    value_loss = 0.5 * (values - returns.detach()).square().mean()
    return policy_loss, value_loss
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-a2c_losses", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false} tags=["nbval-check-output"]
check("a2c_losses", a2c_losses)
### BEGIN HIDDEN TESTS
from pgcourse.checks import run

assert run("a2c_losses", a2c_losses).status == "correct"
### END HIDDEN TESTS

# %% [markdown]
# ## Finale: your A2C
#
# Your advantages, your losses and your true next observations in the real loop: 8 environments, 16 steps an update, 600
# episodes of CartPole. Between `gae` and `a2c_losses` the loop normalises the advantages of the batch. Your curve appears on
# the band of the reference's runs, and below it your agent. Then spoil it on purpose: with
# `gae=lambda *block, gamma, gae_lambda: gae(*block, gamma=gamma, gae_lambda=0.0)` the advantages are one-step errors. What
# does the curve say, and what does another `seed` say? The cell takes about ten seconds, on a busy machine up to a minute.

# %%
finale.a2c(gae=gae, a2c_losses=a2c_losses, true_next_observations=true_next_observations)

# %% [markdown]
# <details><summary>What the curve says with λ = 0</summary>
#
# It stays far below the band: the critic blames the last action before a fall and hardly any other (lesson, sections 4.5 and
# 7.1). Another seed changes the curve, and hardly ever that: in the lesson's ten runs over 1,000 episodes
# {{a2c:lambda_0/episodes_to_475/count}} of {{a2c:lambda_0/episodes_to_475/count.n}} with λ = 0 reach 475, with 0.95
# {{a2c:cartpole/episodes_to_475/count}} of {{a2c:cartpole/episodes_to_475/count.n}}.
#
# </details>
#
# **Next**: unit 04, which takes several steps on one batch, and needs a way to stop before they go too far.
